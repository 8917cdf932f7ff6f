#!/usr/bin/env python3
"""Writes the documents that are tables of the program: docs/api.md, commands.md, errors.md, item-types.md, roles.md and formats/export.md, from the same .def files that the
program is built from. --check writes nothing and exits 1 when a document is not what it would write."""
import difflib
import os
import re
import subprocess
import sys

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
HEAD = '<!-- Written by tools/gen_docs.py from {}; change that and run it again. -->\n'


def read(path):
    with open(os.path.join(ROOT, path), encoding='utf-8') as f:
        return f.read()


# ---------------------------------------------------------------- reading C

def preprocessed(text):
    """As the compiler sees it: comments gone, included tables and helper macros in place."""
    return subprocess.run(['cc', '-E', '-P', '-DNULL=NONE', '-Isrc', '-x', 'c', '-'], cwd=ROOT, input=text, capture_output=True, text=True, check=True).stdout


def tokens(text):
    return re.findall(r'"(?:\\.|[^"\\])*"|[A-Za-z_]\w*|-?\d[\w.]*|\S', text)


def unquoted(s):
    return s[1:-1].replace('\\"', '"').replace('\\\\', '\\')


def arguments(words, at):
    """The arguments of a call whose '(' or '{' is words[at]: texts, adjoining string literals joined, and where it ends."""
    out, piece, depth = [], [], 0
    while True:
        w = words[at]
        depth += w in '({['
        depth -= w in ')}]'
        if depth == 0 or (depth == 1 and w == ','):
            if piece:
                out.append(joined(piece))
            piece = []
            if depth == 0:
                return out, at
        elif not (depth == 1 and w in '({[' and not piece):
            piece.append(w)
        at += 1


def joined(piece):
    if all(w.startswith('"') for w in piece):
        return ''.join(unquoted(w) for w in piece)
    return ' '.join(piece)


def all_rows(path, macros):
    """(macro, arguments) of each row of a table, in its order."""
    out, words, at = [], tokens(preprocessed(f'#include "{path}"\n')), 0
    while at < len(words):
        if words[at] in macros and words[at + 1] == '(':
            macro = words[at]
            found, at = arguments(words, at + 1)
            out.append((macro, found))
        at += 1
    return out


def rows(path, macro):
    """Arguments of each row `macro(...)` of a table, in its order."""
    return [found for _, found in all_rows(path, [macro])]


def cell(s):
    return s.replace('|', '\\|').replace('<', '&lt;') if s else ''


def code(s):
    return f'`{s}`' if s else ''


def table(header, lines):
    out = ['| ' + ' | '.join(header) + ' |', '|' + '---|' * len(header)]
    return '\n'.join(out + ['| ' + ' | '.join(line) + ' |' for line in lines]) + '\n'


# ---------------------------------------------------------------- the documents

METHODS = {'METHOD_GET': 'GET', 'METHOD_POST': 'POST', 'METHOD_READ': 'GET, POST'}
WHO = {'WHO_ANYONE': 'anyone, as far as sharing goes', 'WHO_USER': 'signed in', 'WHO_ADMIN': 'administrator'}
BODY = {'BODY_PARAMS': '', 'BODY_TEXT': 'a form with long texts', 'BODY_FILES': 'a form with files'}
TYPES = {'int': 'whole number', 'double': 'number', 'bool': 'true or false', 'id': 'id', 'csv': 'list with commas', 'json': 'JSON', 'file': 'file', 'text': 'text'}


def parameter(word):
    m = re.match(r'^([\w.]+)(!)?(?::(\w+))?(?:=(.*))?$', word)
    name, required, kind, otherwise = m.groups()
    notes = [TYPES[kind or 'text']]
    if required:
        notes.append('required')
    if otherwise is not None:
        notes.append(f'default `{otherwise}`')
    return f'- `{name}`: {", ".join(notes)}'


def api():
    chapters = {}
    for methods, pattern, _, who, body, params, summary in rows('web/routes.def', 'ROUTE'):
        key = '/'.join(pattern.split('/')[:4 if pattern.startswith(('/sharing/rest', '/server/rest')) else 2]) or '/'
        text = f'### {METHODS[methods]} `{pattern}`\n\n{summary} Who: {WHO[who]}.'
        if BODY[body]:
            text += f' Body: {BODY[body]}.'
        if params.split():
            text += '\n\n' + '\n'.join(parameter(p) for p in params.split())
        chapters.setdefault(key, []).append(text)
    out = HEAD.format('src/web/routes*.def') + '# Operations\n\n' \
        'Every path, as the program knows it. Names of parameters are compared without case. Every operation below `/sharing/rest` and `/server/rest` also takes `f` (`html`, the\n' \
        'default, `json`, `pjson`; queries also `geojson`), and `token`, which may as well come in the header `X-Esri-Authorization: Bearer …` or\n' \
        '`Authorization: Bearer …`. With `callback=name` the JSON of a GET comes as a script that calls it (JSONP), as long as `http.allowedOrigins` is `*`. Errors are in [errors.md](errors.md). A path may have the prefix of `--context`, except those below `/server`.\n'
    for key in sorted(chapters):
        out += f'\n## `{key}`\n\n' + '\n\n'.join(chapters[key]) + '\n'
    return out


def exit_codes():
    """(code, meaning) of the exit codes: the enum and the texts of C."""
    codes = dict(re.findall(r'(EXIT_\w+) = (\d+)', read('src/cli/command.h')))
    return [(codes[name], meaning) for name, meaning in re.findall(r'\{(EXIT_\w+), "([^"]*)"\}', read('src/app/commands.c'))]


KINDS = {'TEXT': 'text', 'INT': 'whole number', 'BYTES': 'bytes (`512M`, `5G`)', 'BOOL': '`true` or `false`'}


def commands():
    exits = '; '.join(f'{c} {m}' for c, m in exit_codes())
    out = HEAD.format('src/app/commands.def and src/app/config.def') + '# Commands\n\n' \
        'PORTAL is a URL, or a name that `mapferry portal add` has given. Every command takes `--json` for events and results as JSON lines, and `--help`.\n\n' \
        f'Exit codes: {exits}.\n'
    for macro, row in all_rows('app/commands.def', ['COMMAND', 'OPTION']):
        if macro == 'COMMAND':
            name, _, words, summary = row
            out += f'\n## {name}\n\n{summary}\n\n' + '    ' + ' '.join(w for w in ('mapferry', name, words, '[OPTION]...') if w) + '\n'
            first = True
        else:
            name, kind, value, meaning = row
            out += ('\n' if first else '') + f"- `{'-' if len(name) == 1 else '--'}{name}{' ' + value if value else ''}`: {meaning}\n"
            first = False
    out += '\n# Configuration of `mapferry serve`\n\n' \
        'Each row is an option `--name VALUE`, a variable `MAPFERRY_NAME` and a line `name = value` of the file that `--config` names. Options win over the\n' \
        'environment, that over the file. In names, case and the characters `-`, `_`, `.` do not count.\n\n'
    return out + table(['name', 'kind', 'default', 'meaning'],
                       [[code(name), KINDS[kind], code(otherwise), cell(meaning)] for _, name, kind, otherwise, meaning in rows('app/config.def', 'CONFIG')])


def kinds_in_c():
    """Kinds that stand in C files, because they have no words of the APIs: (name, http, code, message code, message)."""
    out = []
    for where, _, names in sorted(os.walk(os.path.join(ROOT, 'src'))):
        for name in sorted(names):
            if not name.endswith('.c'):
                continue
            path = os.path.relpath(os.path.join(where, name), ROOT)
            for m in re.finditer(r'^const struct err_kind (\w+) = (\{.*?\});', read(path), re.M | re.S):
                found, _ = arguments(tokens(m.group(2)), 0)
                if len(found) == 5 and found[1].isdigit():
                    out.append([m.group(1), *['NONE' if f == 'NULL' else f for f in found[1:]]])
    return out


def errors():
    def lines(found):
        return [[code(kind), http, number, '' if message_code == 'NONE' else code(message_code), cell(message)] for kind, http, number, message_code, message in found]
    header = ['kind', 'HTTP status', 'code', 'messageCode', 'message']
    return HEAD.format('src/model/errors.def') + '# Errors\n\n' \
        'The answer of the APIs is `{"error":{"code":…,"messageCode":…,"message":…,"details":[…]}}`, with HTTP status 200 unless the row says otherwise: that is what clients\n' \
        'of these APIs expect. What happened exactly is in `details`.\n\n' + table(header, lines(rows('model/errors.def', 'ERROR'))) + \
        '\n## Kinds without a word of the APIs\n\nThey come from below (disk, limits, damage) or end a command.\n\n' + table(header, lines(kinds_in_c()))


CONTENT = {'TEXT': 'text', 'FILE': 'file', 'URL': 'URL', 'SERVICE': 'service', 'NONE': 'none'}
EXPORT = {'DOCUMENTED': ('yes', 'document'), 'ASSUMED': ('yes', 'assumed'), 'NO': ('no', '')}
REF_KIND = {'REF_ITEM_ID': 'item id', 'REF_SERVICE_URL': 'service or layer URL', 'REF_PORTAL_URL': 'portal URL', 'REF_GROUP_ID': 'group id', 'REF_USERNAME': 'user name',
            'REF_URL': 'any URL'}


def rule_sets():
    """name -> rules, by the C preprocessor: the arrays are made of macros."""
    text, sets = preprocessed('#include "model/itemtype.c"\n'), {}
    for m in re.finditer(r'struct ref_rule rules_(\w+)\[\] = (\{.*?\});', text, re.S):
        words = tokens(m.group(2))
        found, at = [], 1
        while at < len(words) - 1:
            if words[at] == '{':
                row, at = arguments(words, at)
                found.append(row)
            at += 1
        sets[m.group(1)] = found
    return sets


def rule(row):
    place, name, path, kind, required = row
    where = {'REF_ITEM_FIELD': f'field `{name}`', 'REF_DATA': f'data `{path}`', 'REF_RESOURCE': f'resource `{name}`' + (f': `{path}`' if path else '')}[place]
    return [where, REF_KIND[kind], 'required' if required in ('1', 'true') else '']


def item_types():
    sets, used, lines = rule_sets(), [], []
    for name, content, extensions, export, since, _, rules in rows('model/itemtypes.def', 'TYPE'):
        exportable, source = EXPORT[export]
        if rules != 'none' and rules not in used:
            used.append(rules)
        lines.append([cell(name), CONTENT[content], '' if extensions == 'NONE' else code(extensions), exportable, '' if since == 'NONE' else since, source,
                      '' if rules == 'none' else f'[{rules}](#{rules})'])
    out = HEAD.format('src/model/itemtypes.def and src/model/itemtype.c') + '# Item types\n\n' \
        'Whether an item of the type may be in an export package, since which version, and who says so: `document` is a row of the group export document, `assumed` one whose name\n' \
        'is lost in the public copy of its table (`strict-types` leaves those out). A type that is not here is carried losslessly between portals, but not in a group export.\n' \
        'Texts of a type without rules are searched generically for known ids and addresses; what is found that way is marked as guessed.\n\n'
    out += table(['type', 'content', 'extensions', 'exportable', 'since', 'source', 'reference rules'], lines)
    out += '\n# Reference rules\n\nWhere a text names other items; `*` is any member or element, `**` any depth. The same rules find dependencies, rewrite them and verify.\n'
    for name in used:
        out += f'\n## {name}\n\n' + table(['where', 'what', ''], [rule(r) for r in sets[name]])
    return out


def roles():
    order = ['ROLE_VIEWER', 'ROLE_USER', 'ROLE_PUBLISHER', 'ROLE_ADMIN']
    lines = [[code(text)] + ['yes' if order.index(lowest) <= i else '' for i in range(len(order))] for _, text, lowest in rows('model/privileges.def', 'PRIVILEGE')]
    return HEAD.format('src/model/privileges.def') + '# Roles and privileges\n\n' \
        'What somebody may beyond his own things follows from the privileges of his role, by the questions of `src/model/access.h` and nowhere else. The four default roles are\n' \
        'fixed. Administrators make further ones (`portals/self/createRole`) of any of these privileges; a change holds from the next request of those who have the role. Whatever its\n' \
        'privileges, no custom role is the administrator\'s: roles, the files of others\' groups (export and import) and everything below `/portaladmin` but `createUser` are for\n' \
        'administrators. Nobody gives a role, or changes, disables or deletes a user, that holds a privilege which he does not have himself.\n\n' + \
        table(['privilege', 'viewer `iAAAAAAAAAAAAAAA`', 'user `org_user`', 'publisher `org_publisher`', 'administrator `org_admin`'], lines)


def export_formats():
    subjects, carried = rows('formats/carry.def', 'SUBJECT'), rows('formats/carry.def', 'CARRY')
    out = HEAD.format('src/formats/formats.def and carry.def') + '# Formats that features leave in\n\n' \
        'What `export` of an item (`exportFormat`) and `mapferry item export` write. Where a rule loses something, the messages of the job say how often it did, layer by layer.\n\n'
    formats = rows('formats/formats.def', 'FORMAT')
    out += table(['exportFormat', 'also called', 'item type', 'of several layers'], [[code(f[1]), cell(f[2]), f'{f[3]} (.{f[5]})', f'{f[4]} (.{f[6]})'] for f in formats])
    for f in formats:
        out += f'\n## {f[1]}\n\n' + table(['what', 'how it is written', 'counted as'],
                                          [[title, cell(rule), '' if message in ('NONE', '0') else cell(message)] for subject, title in subjects for form, about, rule, message in carried
                                           if form == f[0] and about == subject])
    return out + '\n## Not written\n\n' + table(['exportFormat', 'also called', 'why, and what to use instead'], [[code(n), cell(o), cell(w)] for n, o, w in rows('formats/formats.def', 'NO_FORMAT')])


def main():
    check = sys.argv[1:] == ['--check']
    if sys.argv[1:] and not check:
        sys.exit('usage: gen_docs.py [--check]')
    stale = False
    for name, make in (('api', api), ('commands', commands), ('errors', errors), ('item-types', item_types), ('roles', roles), ('formats/export', export_formats)):
        path, text = f'docs/{name}.md', make()
        old = read(path) if os.path.exists(os.path.join(ROOT, path)) else ''
        if old == text:
            continue
        if check:
            stale = True
            print(f'{path} is not what the tables say: run tools/gen_docs.py')
            print('\n'.join(list(difflib.unified_diff(old.split('\n'), text.split('\n'), path, 'tables', lineterm='', n=0))[:20]))
        else:
            with open(os.path.join(ROOT, path), 'w', encoding='utf-8') as f:
                f.write(text)
    sys.exit(1 if stale else 0)


main()
