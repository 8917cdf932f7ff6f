#!/usr/bin/env python3
"""The house rules that a machine can check (docs/architecture.md): a room includes headers of lower floors and its own only; each
foreign library stays in its room; no banned function; no SQL dialect word outside the driver. Prints file:line: what, exits 1."""
import os
import re
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'src')
FLOORS = {'base': 0, 'codec': 1, 'net': 2, 'model': 2, 'store': 3, 'convert': 3, 'formats': 4, 'service': 4, 'portal': 5, 'migrate': 6, 'jobs': 7,
          'web': 8, 'cli': 8, 'app': 9}
# Headers of foreign libraries and the only places that may know them (a file, or a folder ending in /).
CONFINED = {
    r'nettle/|^crypt\.h': ['base/hash.c', 'base/seal.c'],
    r'^microhttpd\.h': ['net/http_server.c'],
    r'^gnutls/': ['net/tls.c'],
    r'^curl/': ['net/http_client.c'],
    r'^sqlite3\.h': ['store/sql_sqlite', 'store/sql_fault_vfs', 'store/feature_gpkg', 'store/gpkg_'],
    r'^isa-l|^igzip|^crc\.h': ['codec/deflate'],
    r'^proj\.h': ['model/geometry/'],
    r'^geos_c\.h': ['model/geometry/relate.c'],
    r'^gdal|^ogr_|^cpl_': ['convert/helper/'],
    r'^seccomp\.h|^linux/landlock\.h': ['convert/helper/'],
}
BANNED = re.compile(r'(?<![\w.>])(strcpy|strcat|sprintf|vsprintf|strtok|atoi|atol|atof|sscanf|gets|alloca|setlocale|localtime|gmtime|system|popen)\s*\(')
BARE_MALLOC = re.compile(r'(?<![\w.>])(malloc|calloc|realloc|strdup|strndup|asprintf)\s*\(')
DIALECT = re.compile(r'\b(PRAGMA|AUTOINCREMENT|WITHOUT ROWID|INSERT OR|REPLACE INTO|strftime\(|json_extract|julianday|GLOB|_rowid_|sqlite_master)\b')
SQL_SKIP = ('store/sql_sqlite', 'store/sql_fault_vfs', 'store/feature_gpkg', 'store/gpkg_')

bad = []


def room_of(path):
    return path.split('/')[0]


def check(path):
    room = room_of(path)
    with open(os.path.join(ROOT, path), encoding='utf-8') as f:
        text = f.read()
    code = re.sub(r'/\*.*?\*/', lambda m: '\n' * m.group(0).count('\n'), text, flags=re.S)
    for n, line in enumerate(code.split('\n'), 1):
        m = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if m:
            name = m.group(2)
            if m.group(1) == '"':
                other = room_of(name)
                if other not in FLOORS:
                    bad.append(f'src/{path}:{n}: include of "{name}" names no room')
                elif other != room and FLOORS[other] >= FLOORS[room]:
                    bad.append(f'src/{path}:{n}: {room} [{FLOORS[room]}] must not include {other} [{FLOORS[other]}]')
            for pattern, places in CONFINED.items():
                if re.search(pattern, name) and not any(path.startswith(p) for p in places):
                    bad.append(f'src/{path}:{n}: <{name}> is confined to {", ".join(places)}')
        m = BANNED.search(line)
        if m and room != 'base':
            bad.append(f'src/{path}:{n}: {m.group(1)} is banned')
        m = BARE_MALLOC.search(line)
        if m and room != 'base' and not path.startswith('convert/helper/'):
            bad.append(f'src/{path}:{n}: {m.group(1)} outside base: use an arena or base/mem.h')
        m = DIALECT.search(line)
        if m and room in ('store', 'service', 'portal') and not path.startswith(SQL_SKIP):
            bad.append(f'src/{path}:{n}: SQL dialect word {m.group(1)} outside the driver')


for folder, _, files in sorted(os.walk(ROOT)):
    for name in sorted(files):
        if name.endswith(('.c', '.h', '.def')):
            check(os.path.relpath(os.path.join(folder, name), ROOT))
for line in bad:
    print(line)
sys.exit(1 if bad else 0)
