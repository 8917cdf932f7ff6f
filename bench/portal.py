#!/usr/bin/env python3
"""The doors of the portal beside nginx, in one run (docs/performance.md): small answers, uploads and downloads of 1 GiB, small items added.
usage: bench/portal.py [--data DIR] [--pairs N] [get] [upload] [download] [add]. Everything is written below DIR and removed at the end."""
import contextlib
import getpass
import json
import os
import random
import signal
import subprocess
import time
import urllib.parse

from measure import build, cpu_of, free_port, median, peak_kb, reset_peak, run, server

BIG = 1 << 30
GETS, GET_CONNECTIONS = 30000, 16
ADDS, ADD_CLIENTS = 10000, 8
# What nginx is best at: files kept open, sent by the kernel, connections that stay. Both sides log each request to a file.
NGINX = """user {user};
worker_processes {workers};
daemon off;
pid {dir}/pid;
error_log {dir}/error.log;
events {{ worker_connections 1024; }}
http {{
    access_log {dir}/access.log;
    sendfile on;
    tcp_nopush on;
    open_file_cache max=100;
    keepalive_requests 100000000;
    default_type application/json;
    client_max_body_size 0;
    client_body_temp_path {dir}/body;
    server {{
        listen 127.0.0.1:{port};
        root {dir}/files;
        location /put/ {{ dav_methods PUT; }}
    }}
}}
"""


class Nginx:
    """nginx from Debian on a free port, with the files of a folder of its own."""

    def __init__(self, work):
        self.dir, self.port = os.path.join(work, 'nginx'), free_port()
        self.files = os.path.join(self.dir, 'files')
        os.makedirs(os.path.join(self.files, 'put'))
        config = os.path.join(self.dir, 'conf')
        with open(config, 'w') as f:
            f.write(NGINX.format(user=getpass.getuser(), workers=os.cpu_count(), dir=self.dir, port=self.port))
        self.process = subprocess.Popen(['/usr/sbin/nginx', '-c', config], stderr=subprocess.DEVNULL)
        self.url = f'http://127.0.0.1:{self.port}'
        for _ in range(100):
            if subprocess.run(['curl', '-s', '-o', os.devnull, self.url + '/'], check=False).returncode == 0:
                return
            time.sleep(0.05)
        self.stop()
        raise SystemExit('bench: nginx did not start')

    def cpu(self):
        with open(f'/proc/{self.process.pid}/task/{self.process.pid}/children') as f:
            return sum(cpu_of(int(pid)) for pid in f.read().split())

    def stop(self):
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(30)


def random_file(path, size):
    source = random.Random(1)
    with open(path, 'wb') as f:
        for _ in range(size >> 20):
            f.write(source.randbytes(1 << 20))


def head(method, path, headers, body=b''):
    lines = [f'{method} {path} HTTP/1.1', 'Host: 127.0.0.1'] + [f'{k}: {v}' for k, v in headers.items()]
    if body:
        lines.append(f'Content-Length: {len(body)}')
    return '\r\n'.join(lines).encode() + b'\r\n\r\n' + body


class Bench:
    def __init__(self, program, data, pairs, work):
        del data  # everything is made here
        self.pairs, self.work, self.results = pairs, work, []
        self.nginx = Nginx(work)
        self.server, self.portal = server(program, work, 'portal')
        self.pid, self.port = self.server.process.pid, urllib.parse.urlsplit(self.server.url).port
        self.token = {'X-Esri-Authorization': 'Bearer ' + self.portal.token, 'Referer': self.portal.url}

    def close(self):
        self.server.stop()
        self.nginx.stop()

    @contextlib.contextmanager
    def measured(self, out, cpu):
        """Adds wall and CPU seconds of a server to out; `cpu` reads its clock."""
        start_cpu, start = cpu(), time.monotonic()
        yield
        out['wall'], out['cpu'] = time.monotonic() - start, cpu() - start_cpu

    def own_cpu(self):
        return cpu_of(self.pid)

    def load(self, port, connections, count, request, cpu):
        """Many requests by bench/load.c; CPU time is the server's alone."""
        program, out = build('load.c', self.work, '-lpthread'), {}
        with self.measured(out, cpu):
            done = subprocess.run([program, str(port), str(connections), str(count)], input=request, check=True, capture_output=True)
        told = json.loads(done.stdout)
        if told['failed']:
            raise SystemExit(f"bench: {told['failed']} of {count} requests failed: {done.stderr.decode()}")
        return {'wall': told['seconds'], 'cpu': out['cpu'], 'per_second': count / told['seconds'], 'cpu_us': 1e6 * out['cpu'] / count, 'p50_us': told['p50'], 'p99_us': told['p99']}

    def pair(self, name, what, ours, peer):
        """A B A B ..., the first pair not counted. The ratio of `what`, higher is better for us: the peer's by ours."""
        mine, others = [], []
        reset_peak(self.pid)
        for k in range(self.pairs + 1):
            a, b = ours(k), peer(k)
            if k:
                mine.append(dict(a, peak_kb=peak_kb(self.pid)))
                others.append(b)
        ratios = [b[what] / a[what] for a, b in zip(mine, others)]
        print(f"{name:34} {what:7} ours {median([a[what] for a in mine]):9.3f}   nginx {median([b[what] for b in others]):9.3f}   nginx by ours {median(ratios):5.2f} "
              f"({min(ratios):.2f} to {max(ratios):.2f})   peak {max(a['peak_kb'] for a in mine) / 1024:.1f} MiB", flush=True)
        self.results.append({'name': name, 'ours': mine, 'peer': others})

    def get(self):
        """A small item's JSON: to anybody who may see a public item, and to the owner of a private one."""
        text = json.dumps({'operationalLayers': [], 'version': '2.31'})
        public, private = (self.portal.call(self.portal.content('addItem'), title=t, type='Web Map', tags='bench,water', snippet='A map of the mains', text=text)['id'] for t in ('public', 'private'))
        self.portal.call(self.portal.content(f'items/{public}/share'), everyone='true')
        for name, item, headers in (('GET item, public', public, {}), ('GET item, private, by token', private, self.token)):
            path = f'/sharing/rest/content/items/{item}?f=json'
            answer = self.portal.raw(path, method='GET')[2]
            with open(os.path.join(self.nginx.files, 'item.json'), 'wb') as f:
                f.write(answer)
            self.pair(name, 'cpu_us', lambda k: self.load(self.port, GET_CONNECTIONS, GETS, head('GET', path, headers), self.own_cpu),
                      lambda k: self.load(self.nginx.port, GET_CONNECTIONS, GETS, head('GET', '/item.json', {}), self.nginx.cpu))

    def big_file(self):
        path = os.path.join(self.work, 'big')
        if not os.path.exists(path):
            random_file(path, BIG)
        return path

    def curl(self, cpu, *args, after=None):
        out = {}
        with self.measured(out, cpu):
            done = subprocess.run(['curl', '-sSf', *args], check=True, capture_output=True)
            if after:
                subprocess.run(after, check=True)
        return out, done.stdout

    def upload_ours(self, k):
        out, answer = self.curl(self.own_cpu, '-F', f'title=big {k}', '-F', 'type=CAD Drawing', '-F', 'tags=bench', '-F', 'f=json', '-F', f'file=@{self.big_file()};filename=big-{k}.dwg',
                                '-H', 'Expect:', *self.token_args(), self.portal.url + self.portal.content('addItem'))
        self.item = json.loads(answer)['id']
        return out

    def token_args(self):
        return [a for k, v in self.token.items() for a in ('-H', f'{k}: {v}')]

    def upload(self):
        """Durable on both sides: ours says so by answering, nginx's file is synced within the time."""
        def ours(k):
            out = self.upload_ours(k)
            self.portal.call(self.portal.content(f'items/{self.item}/delete'))
            return out

        def peer(k):
            path = os.path.join(self.nginx.files, 'put', f'big-{k}')
            out = self.curl(self.nginx.cpu, '-T', self.big_file(), '-H', 'Expect:', f'{self.nginx.url}/put/big-{k}', after=['sync', path])[0]
            os.remove(path)
            return out
        self.pair('1 GiB upload', 'wall', ours, peer)

    def download(self):
        self.upload_ours('kept')
        os.link(self.big_file(), os.path.join(self.nginx.files, 'big'))
        self.pair('1 GiB download', 'wall',
                  lambda k: self.curl(self.own_cpu, '-o', os.devnull, *self.token_args(), f'{self.portal.url}/sharing/rest/content/items/{self.item}/data')[0],
                  lambda k: self.curl(self.nginx.cpu, '-o', os.devnull, self.nginx.url + '/big')[0])

    def add(self):
        """Small items by several clients, each durable when it is answered. Nobody to compare with: the rate counts."""
        runs = []
        for k in range(self.pairs):
            fields = {'title': f'item {k} ########', 'type': 'Web Map', 'tags': 'bench,water', 'snippet': 'A map of the mains', 'text': json.dumps({'version': '2.31', 'n': '########'}), 'f': 'json'}
            body = urllib.parse.urlencode(fields, safe='#').encode()
            headers = dict(self.token, **{'Content-Type': 'application/x-www-form-urlencoded'})
            reset_peak(self.pid)
            runs.append(self.load(self.port, ADD_CLIENTS, ADDS, head('POST', self.portal.content('addItem'), headers, body), self.own_cpu))
            runs[-1]['peak_kb'] = peak_kb(self.pid)
        rates = [r['per_second'] for r in runs]
        print(f"{'addItem, 8 clients':34} {median(rates):.0f}/s ({min(rates):.0f} to {max(rates):.0f}), CPU {median([r['cpu_us'] for r in runs]):.0f} us each, "
              f"p99 {median([r['p99_us'] for r in runs]) / 1000:.1f} ms, peak {max(r['peak_kb'] for r in runs) / 1024:.1f} MiB", flush=True)
        self.results.append({'name': 'addItem, 8 clients', 'ours': runs})


if __name__ == '__main__':
    run('portal', Bench, ['get', 'add', 'upload', 'download'])
