#!/usr/bin/env python3
"""Searches beside the reading of one item over the same connection, over 10^4, 10^5 and 10^6 items. usage: bench/search.py [--data DIR] [--rounds N]
[--sizes 12288,98304,1007616]. The items are made once for each size and kept in DIR: some thousands through the store (bench/search_items.c), the others as
copies of these in the tables, with ids of their own; a size is a multiple of the packed block of 4,096 items."""
import argparse
import contextlib
import os
import shutil
import socket
import sqlite3
import subprocess
import time
import urllib.parse

from measure import PASSWORD, ROOT, Portal, keep, peak_kb, reset_peak, server  # noqa: F401

BASE = 12288
LISTS = 16 << 22  # where the numbers of the lists of store/meta_runs.h begin; the block is their low 14 bits
QUERIES = {  # name: what is asked, at most how many times the p99 of an item
    'a word of a few items': ({'q': 'rare7'}, 20),
    'a word of 1,000 items': ({'q': 'some7'}, 20),
    'a word of 1,000, modified first': ({'q': 'some7', 'sortField': 'modified', 'sortOrder': 'desc'}, 20),
    'a word of 1,000, by title': ({'q': 'some7', 'sortField': 'title'}, 20),
    'two words': ({'q': 'some7 survey'}, 20),
    'a word in half of the items': ({'q': 'survey'}, 100),
    'the same, page 900': ({'q': 'survey', 'start': '9001'}, 100),
    'the same, counts of three fields': ({'q': 'survey', 'countFields': 'tags,type,access'}, 100),
    'the same, by title': ({'q': 'survey', 'sortField': 'title'}, 100),
    'the same, by title, page 900': ({'q': 'survey', 'sortField': 'title', 'start': '9001'}, 100),
    'the same, modified first, page 900': ({'q': 'survey', 'sortField': 'modified', 'sortOrder': 'desc', 'start': '9001'}, 100),
    'everything': ({'q': '*'}, 100),
    'the same, most viewed first': ({'q': 'survey', 'sortField': 'numViews', 'sortOrder': 'desc'}, 100),
    'the same, by type and title, page 900': ({'q': 'survey', 'sortField': 'type,title', 'start': '9001'}, 100),
    'neither of two': ({'q': '-survey -tags:open'}, 100),
    'type, owner, access': ({'q': 'type:"Web Map" AND owner:owner7 AND access:public'}, 100),
    'a range of time and a word': ({'q': 'survey created:[1500010000000 TO 1500300000000]'}, 100),
    'a box and a word': ({'q': 'survey', 'bbox': '5,40,15,50'}, 100),
    'the beginning of a word': ({'q': 'rare1*'}, 100),
    'nearly a word': ({'q': 'survei~1'}, 100),
    'a letter in titles, by words': ({'q': 'title:s*'}, 100),
    'two common words in a row, nowhere': ({'q': '"arcgis data"'}, 100),
    'two words in a row, common': ({'q': '"feature service"'}, 100),
    'three words in a row': ({'q': '"web mapping application"'}, 100),
}


def program(work):
    """bench/search_items.c with the store of the release build."""
    path = os.path.join(work, 'search_items')
    archives = [os.path.join(ROOT, 'build', 'src', room, f'lib{room}.a') for room in ('store', 'model', 'codec', 'base')]
    subprocess.run(['cc', '-O2', '-D_GNU_SOURCE', '-I', os.path.join(ROOT, 'src'), '-o', path, os.path.join(ROOT, 'bench', 'search_items.c'), *archives,
                    '-lsqlite3', '-lproj', '-lisal', '-lnettle', '-lcrypt', '-lm', '-lpthread'], check=True)
    return path


def multiply(database, size):
    """Copies of the first BASE items up to `size`; the columns of all are packed afterwards."""
    with contextlib.closing(sqlite3.connect(database, isolation_level=None)) as db:
        for pragma in ('journal_mode=OFF', 'synchronous=OFF', 'cache_size=-1000000'):
            db.execute('PRAGMA ' + pragma)
        last, copies, blocks = 3 * BASE, size // BASE, BASE // 4096
        db.execute('BEGIN')
        for table, number in (('item', 'number'), ('search_text', 'subject'), ('search_posting', 'subject')):
            db.execute(f'DELETE FROM {table} WHERE {number} > ? AND {number} % 3 = 1', (last,))
        indexes = db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'item' AND sql IS NOT NULL").fetchall()
        for name, _ in indexes:
            db.execute('DROP INDEX ' + name)
        rest = ','.join(r[1] for r in db.execute('PRAGMA table_info(item)') if r[1] not in ('number', 'id'))
        for k in range(1, copies):
            db.execute(f"INSERT INTO item (number, id, {rest}) SELECT number + ?, printf('%08x', ?) || substr(id, 9), {rest} FROM item WHERE number <= ?", (k * last, k, last))
            db.execute('INSERT INTO search_text SELECT subject + ?, content FROM search_text WHERE subject <= ? AND subject % 3 = 1', (k * last, last))
        db.execute('CREATE TEMP TABLE copy AS WITH RECURSIVE k (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM k WHERE n < ?) SELECT n FROM k', (copies - 1,))
        if copies > 1:
            db.execute('INSERT INTO search_block SELECT b.word, b.kind, b.field, b.block + ? * copy.n, b.content FROM (SELECT * FROM search_block WHERE kind = 0) b '
                       'JOIN copy ORDER BY 1, 2, 3, 4', (blocks,))
        db.execute('INSERT INTO search_column SELECT c.number + ? * copy.n, c.content FROM (SELECT * FROM search_column WHERE number >= ?) c JOIN copy ORDER BY 1', (blocks, LISTS))
        db.execute('UPDATE search_packed SET place = CASE kind WHEN 3 THEN 0 ELSE ? END WHERE kind IN (0, 3, 4)', (copies * BASE,))
        db.execute('INSERT INTO search_rebuild (kind, subject) VALUES (0, ?)', (copies * last - 4,))
        for _, sql in indexes:
            db.execute(sql)
        db.execute('COMMIT')


def store(data, size, work):
    """A portal's folder with that many items, made when it is missing."""
    folder = os.path.join(data, f'search-{size}')
    if not os.path.exists(folder):
        part = folder + '.part'
        shutil.rmtree(part, ignore_errors=True)
        os.makedirs(part)
        fill, database = program(work), os.path.join(part, 'portal.db')
        subprocess.run([fill, database, '0', str(BASE + 1)], check=True)
        multiply(database, size)
        subprocess.run([fill, database, '0', '0'], check=True)
        os.rename(part, folder)
    return folder


class Connection:
    """HTTP over one connection with as little as possible around it."""

    def __init__(self, port):
        self.socket = socket.create_connection(('127.0.0.1', port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def get(self, path, fields):
        """Seconds, and the body."""
        request = f'GET {path}?{urllib.parse.urlencode(dict(fields, f="json"))} HTTP/1.1\r\nHost: a\r\n\r\n'.encode()
        start = time.perf_counter()
        self.socket.sendall(request)
        answer = b''
        while b'\r\n\r\n' not in answer:
            answer += self.socket.recv(1 << 16)
        head, body = answer.split(b'\r\n\r\n', 1)
        length = int(head.lower().split(b'content-length:')[1].split(b'\r\n')[0])
        while len(body) < length:
            body += self.socket.recv(1 << 16)
        return time.perf_counter() - start, body


def cpu_ns(pid):
    """Nanoseconds that the threads of a process have run; those of threads that ended are not among them."""
    total = 0
    for task in os.listdir(f'/proc/{pid}/task'):
        with contextlib.suppress(FileNotFoundError), open(f'/proc/{pid}/task/{task}/schedstat') as f:
            total += int(f.read().split()[0])
    return total


def cpu_of_each(over, pid, path, fields, count):
    before = cpu_ns(pid)
    for _ in range(count):
        over.get(path, fields)
    return (cpu_ns(pid) - before) / count / 1e9


def part_of(values, part):
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


def measure(binary, folder, size, rounds):
    one, _ = server(binary, os.path.dirname(folder), os.path.basename(folder))
    try:
        port = int(one.url.rsplit(':', 1)[1])
        admin = Portal(one.url, 'admin', PASSWORD)
        item = admin.call('/sharing/rest/search', q='survey access:public')['results'][0]['id']
        over, times = Connection(port), {name: [] for name in QUERIES}
        times['item'] = []
        totals = {name: admin.call('/sharing/rest/search', **fields)['total'] for name, (fields, _) in QUERIES.items()}
        reset_peak(one.process.pid)
        for _ in range(rounds):
            for name, (fields, _) in QUERIES.items():
                times['item'].append(over.get(f'/sharing/rest/content/items/{item}', {})[0])
                times[name].append(over.get('/sharing/rest/search', fields)[0])
        peak, few = peak_kb(one.process.pid), max(1, rounds // 10)
        item_cpu = cpu_of_each(over, one.process.pid, f'/sharing/rest/content/items/{item}', {}, 50 * few)
        cpu = {name: cpu_of_each(over, one.process.pid, '/sharing/rest/search', fields, few) for name, (fields, _) in QUERIES.items()}
    finally:
        one.stop()
    base = part_of(times['item'], 0.99)
    print(f"{size} items; an item: p50 {part_of(times['item'], .5) * 1e6:.0f} µs, p99 {base * 1e6:.0f} µs; peak {peak / 1024:.0f} MiB", flush=True)
    results = [{'name': 'item', 'size': size, 'p50': part_of(times['item'], .5), 'p99': base, 'cpu': item_cpu, 'peak_kb': peak}]
    for name, (fields, most) in QUERIES.items():
        p50, p99 = part_of(times[name], .5), part_of(times[name], .99)
        results.append({'name': name, 'size': size, 'total': totals[name], 'p50': p50, 'p99': p99, 'ratio': p99 / base, 'cpu': cpu[name], 'most': most})
        print(f"  {name:40} {totals[name]:6} found  p50 {p50 * 1e3:7.2f} ms  p99 {p99 * 1e3:7.2f} ms  {p99 / base:6.1f} x  cpu {cpu[name] / item_cpu:6.1f} x  (at most {most})", flush=True)
    return results


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--data', default=os.path.join(ROOT, 'build', 'bench-data'))
    parser.add_argument('--rounds', type=int, default=200)
    parser.add_argument('--sizes', default='12288,98304,1007616')
    parser.add_argument('--program', default=os.path.join(ROOT, 'build', 'mapferry'))
    args = parser.parse_args()
    os.makedirs(args.data, exist_ok=True)
    results = []
    for size in map(int, args.sizes.split(',')):
        folder = store(os.path.abspath(args.data), size, os.path.abspath(args.data))
        results += measure(os.path.abspath(args.program), folder, size, args.rounds)
    keep('search', args.rounds, results)


if __name__ == '__main__':
    main()
