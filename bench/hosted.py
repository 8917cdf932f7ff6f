"""A portal with hosted layers that are measured: published from the files of bench/gen.sh, asked by bench/load.c."""
import glob
import json
import os
import subprocess
import urllib.parse

from measure import PASSWORD, ROOT, build, cpu_of, server
from rest import path_of  # measure knows where it is


def head(path, **headers):
    return '\r\n'.join([f'GET {path} HTTP/1.1', 'Host: 127.0.0.1'] + [f'{k}: {v}' for k, v in headers.items()]).encode() + b'\r\n\r\n'


def parameters(fields):
    """As in a URL; # stays for the numbers of bench/load.c."""
    return urllib.parse.urlencode(fields, safe='#')


def source(data, name):
    """A file of bench/gen.sh, made when it is missing."""
    if not glob.glob(os.path.join(data, name + '*.gpkg')):
        subprocess.run([os.path.join(ROOT, 'bench', 'gen.sh'), data], check=True)
    return min(glob.glob(os.path.join(data, name + '*.gpkg')), key=len)


def load(work, port, connections, count, request, cpu):
    """Many requests by bench/load.c. cpu: tells the seconds that the server has used."""
    program, before = build('load.c', work, '-lpthread'), cpu()
    told = json.loads(subprocess.run([program, str(port), str(connections), str(count)], input=request, check=True, capture_output=True).stdout)
    if told['failed']:
        raise SystemExit(f"bench: {told['failed']} of {count} requests failed")
    return {'wall': told['seconds'], 'per_second': count / told['seconds'], 'cpu_us': 1e6 * (cpu() - before) / count, 'p50_us': told['p50'], 'p99_us': told['p99'],
            'bytes': told['bytes'] / count}


class Layer:
    def __init__(self, url, file):
        self.url, self.file = url, file
        self.admin = url.replace('/rest/services', '/rest/admin/services')


class Hosted:
    """A portal with nothing in it; its layers by name."""

    def __init__(self, program, work):
        self.program, self.work, self.layers = program, work, {}
        self.server, self.portal = server(program, work, 'portal')
        self.pid, self.port = self.server.process.pid, urllib.parse.urlsplit(self.server.url).port
        self.headers = {'X-Esri-Authorization': 'Bearer ' + self.portal.token, 'Referer': self.portal.url}

    def close(self):
        self.server.stop()

    def files(self):
        return set(glob.glob(os.path.join(self.work, 'portal', '**', '*.gpkg'), recursive=True))

    def publish(self, name, path, index=None):
        """The layer of a file, with an index on a field."""
        before = self.files()
        subprocess.run([self.program, 'publish', self.server.url, path, '--name', name], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                       env=dict(os.environ, MAPFERRY_USER='admin', MAPFERRY_PASSWORD=PASSWORD))
        item = next(i for i in self.portal.call('/sharing/rest/search', q=f'type:"Feature Service" title:"{name}"')['results'] if i['title'] == name)
        layer = self.layers[name] = Layer(path_of(item['url']) + '/0', (self.files() - before).pop())
        if index:
            self.portal.call(layer.admin + '/addToDefinition', addToDefinition={'indexes': [{'name': 'by_' + index, 'fields': index}]})
        return layer

    def ask(self, layer, fields, count, connections=8):
        request = head(f'{layer.url}/query?' + parameters({'f': 'json', **fields}), **self.headers)
        return load(self.work, self.port, connections, count, request, lambda: cpu_of(self.pid))

    def answer(self, layer, fields):
        """Bytes of one answer, for what has to be the same on both sides."""
        status, _, data = self.portal.raw(f'{layer.url}/query', {'f': 'json', **fields}, method='GET')
        if status != 200:
            raise SystemExit(f'bench: {status} {data[:300]}')
        return data
