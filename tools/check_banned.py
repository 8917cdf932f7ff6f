#!/usr/bin/env python3
"""Form rules of the house that a machine can check: length of files and functions, a comment at the head of each file, one over each public
function, and words that have no place in a text. With --objects DIR (a build folder) also what the objects export: `foo.c` exports names that
begin with a word of its own name or of its folder, and nothing that nobody else uses. Prints file:line: what, exits 1."""
import collections
import glob
import os
import re
import subprocess
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..')
FILE_LINES = 700
FUNCTION_LINES = 80
FORBIDDEN = re.compile(r'\b(TODO|FIXME|XXX|HACK)\b|#\s*if\s+0\b')

# Families of names that a file holds beside its own, each with the reason.
EXPORTS = {
    'base/file.c': ['dir'],                        # files and folders are one subject
    'base/hash.c': ['base64', 'password', 'random', 'secret'],  # the only file that may know the crypto libraries
    'base/id.c': ['guid'],                         # ids of both kinds
    'base/stream.c': ['reader', 'writer'],         # what a stream is: the two ends
    'cli/job.c': ['remote'],                       # the part of remote.h that waits
    'codec/deflate.c': ['inflate'],                # the way back, by the same library
    'migrate/texts.c': ['text'],
    'model/group.c': ['member'],                   # the people of a group
    'model/item.c': ['relationship'],
    'model/layer.c': ['field', 'geometry', 'service'],  # the parts of a definition
    'service/content.c': ['folder', 'group', 'item'],   # use cases that list content, whatever holds it
    'store/feature_gpkg_schema.c': ['layer'],
    'web/params.c': ['call'],                      # a call's parameters
    'web/featureserver/': ['features'],            # the folder's own header says so: features_* are its handlers
    'convert/helper/': ['source'],                 # source.h is the helper's one interface over GDAL
}
bad = []


def complain(path, line, text):
    bad.append(f'{os.path.relpath(path, ROOT)}:{line}: {text}')


def read(path):
    with open(path, encoding='utf-8') as f:
        return f.read()


def sources(folders, extensions):
    for folder in folders:
        for where, _, names in sorted(os.walk(os.path.join(ROOT, folder))):
            for name in sorted(names):
                if name.endswith(extensions):
                    yield os.path.normpath(os.path.join(where, name))


def blanked(text):
    """Comments, strings and character constants become blanks, lines stay."""
    def blank(m):
        return re.sub(r'[^\n]', ' ', m.group(0))
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text, flags=re.S)


def check_file(path, text):
    lines = text.split('\n')
    if len(lines) - 1 > FILE_LINES:
        complain(path, 1, f'{len(lines) - 1} lines, at most {FILE_LINES}')
    if not text.startswith(('/*', '//')):
        complain(path, 1, 'no comment at the head that says why the file exists')


def check_functions(path, text):
    """A definition is what stands between a `{` and a `}` in the first column, after a line that ends a parameter list."""
    lines = blanked(text).split('\n')
    start = None
    for n, line in enumerate(lines, 1):
        if line.startswith('{') and n > 1 and lines[n - 2].rstrip().endswith((')', '}')):
            start = n
        elif line.startswith('}') and start:
            if n - start - 1 > FUNCTION_LINES:
                complain(path, start, f'a function of {n - start - 1} lines, at most {FUNCTION_LINES}')
            start = None


DECLARATION = re.compile(r'^(?!typedef|static|struct\s+\w+\s*\{|enum|#|extern|return|}|\s)[A-Za-z_][\w\s\*]*?\b(\w+)\s*\([^;{]*\)[^;{]*;', re.M | re.S)


def check_header_comments(path, text):
    """Each declaration stands under a comment, has one behind it, or belongs to a block (lines without an empty one between) that has one."""
    code, lines = blanked(text), text.split('\n')
    for m in DECLARATION.finditer(code):
        first = code.count('\n', 0, m.start())
        last = code.count('\n', 0, m.end())
        top = first
        while top > 0 and lines[top - 1].strip():
            top -= 1
        block = '\n'.join(lines[top:last + 1])
        if '/*' not in block and '//' not in block and '*/' not in block:
            complain(path, first + 1, f'{m.group(1)} has no header comment')


def check_words(path, text):
    for n, line in enumerate(text.split('\n'), 1):
        m = FORBIDDEN.search(line)
        if m:
            complain(path, n, f'"{m.group(0)}": finish it or leave it out')


# ---------------------------------------------------------------- what objects export

def symbols(objects):
    """For each object: what it defines for others, and what it wants."""
    out = subprocess.run(['nm', '-A', '-g', *objects], capture_output=True, text=True, check=True).stdout
    defined, wanted = collections.defaultdict(set), collections.defaultdict(set)
    for line in out.splitlines():
        where, _, rest = line.partition(':')
        parts = rest.split()
        if parts[-2] == 'U':
            wanted[where].add(parts[-1])
        elif parts[-2] not in 'wW':
            defined[where].add(parts[-1])
    return defined, wanted


def source_of(build, obj):
    """'src/base/libbase.a.p/file.c.o' is base/file.c; meson writes folders below the room as 'helper_rows.c.o'. None for what is not ours."""
    rel = os.path.relpath(obj, build)
    folder, name = os.path.split(rel)
    room = 'app' if folder == 'mapferry.p' else os.path.basename(os.path.dirname(folder))
    name = name[:-2]
    name = name[len('src_app_'):] if room == 'app' and name.startswith('src_app_') else name
    parts, base = [room], os.path.join(ROOT, 'src', room)
    while '_' in name and not os.path.exists(os.path.join(base, name)):
        head, _, name = name.partition('_')
        base = os.path.join(base, head)
        parts.append(head)
    path = '/'.join(parts + [name])
    return path if os.path.exists(os.path.join(ROOT, 'src', path)) else None


def words_of(path):
    words = set(re.split(r'[/_.]', path[:-2]))
    extra = [w for key, names in EXPORTS.items() if path == key or (key.endswith('/') and path.startswith(key)) for w in names]
    return words | {w[:-1] for w in words if w.endswith('s')} | set(extra)


def check_objects(build):
    objects = glob.glob(os.path.join(build, '**', '*.o'), recursive=True)
    if not objects:
        sys.exit(f'check_banned: no objects below {build}: build first')
    defined, wanted = symbols(objects)
    in_tables = set(re.findall(r'\w+', ' '.join(read(p) for p in sources(['src'], '.def'))))  # one object may hold a table and its functions
    users = collections.defaultdict(set)
    for obj, names in wanted.items():
        for name in names:
            users[name].add(obj)
    for obj in sorted(defined):
        path = source_of(build, obj)
        if not path or '/tests/' in obj:
            continue
        for name in sorted(defined[obj]):
            if name == 'main' or name.startswith('ERR_'):
                continue
            if name.split('_')[0].lower() not in words_of(path):
                complain(os.path.join(ROOT, 'src', path), 1, f'exports {name}, which is named for something else')
            if not users[name] and name not in in_tables:
                complain(os.path.join(ROOT, 'src', path), 1, f'{name} is exported, and nothing else uses it')


def main():
    if sys.argv[1:2] == ['--objects'] and len(sys.argv) == 3:
        check_objects(sys.argv[2])
    elif len(sys.argv) == 1:
        for path in sources(['src'], ('.c', '.h')):
            text = read(path)
            check_file(path, text)
            check_functions(path, text)
            if path.endswith('.h'):
                check_header_comments(path, text)
        for path in sources(['src', 'tests/unit', 'tests/fuzz', 'tests/e2e', 'tools', 'script'], ('.c', '.h', '.def', '.py', '.sh')):
            if os.path.basename(path) != os.path.basename(__file__):
                check_words(path, read(path))
    else:
        sys.exit('usage: check_banned.py [--objects BUILD-FOLDER]')
    for line in bad:
        print(line)
    sys.exit(1 if bad else 0)


main()
