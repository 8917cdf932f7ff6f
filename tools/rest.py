"""A small client of the Sharing REST API for the demo and the end-to-end tests, on Python's standard library alone. It knows nothing of the
program's own code: it sees a portal as any client does."""
import http.client
import json
import mimetypes
import os
import urllib.parse
import uuid


class RestError(Exception):
    def __init__(self, path, error):
        super().__init__(f'{path}: {error}')
        self.error = error


class Portal:
    def __init__(self, url, user=None, password=None):
        self.url = url.rstrip('/')
        parts = urllib.parse.urlsplit(self.url)
        self.host, self.prefix = parts.netloc, parts.path
        self.user, self.token = user, None
        if user:
            self.token = self.call('/sharing/rest/generateToken', username=user, password=password, client='referer', referer=self.url, expiration='120')['token']

    def raw(self, path, fields=None, files=None, method='POST', headers=None):
        """One request; (status, headers, bytes). fields None with GET: no body."""
        headers = dict(headers or {}, Referer=self.url)
        if self.token:
            headers['X-Esri-Authorization'] = 'Bearer ' + self.token
        body = None
        if files:
            boundary = uuid.uuid4().hex
            parts = []
            for k, v in (fields or {}).items():
                parts.append(f'--{boundary}\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n'.encode())
            for name, (filename, data) in files:
                ctype = mimetypes.guess_type(filename)[0] or 'application/octet-stream'
                parts.append(f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"\r\nContent-Type: {ctype}\r\n\r\n'.encode() + data + b'\r\n')
            body = b''.join(parts) + f'--{boundary}--\r\n'.encode()
            headers['Content-Type'] = 'multipart/form-data; boundary=' + boundary
        elif method == 'POST':
            body = urllib.parse.urlencode(fields or {}).encode()
            headers['Content-Type'] = 'application/x-www-form-urlencoded'
        elif fields:
            path += '?' + urllib.parse.urlencode(fields)
        connection = http.client.HTTPConnection(self.host, timeout=300)
        try:
            connection.request(method, self.prefix + path if path.startswith('/sharing') else path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def call(self, path, files=None, method='POST', **fields):
        """JSON of an operation; an answer that holds an error raises RestError."""
        fields = {k: (v if isinstance(v, str) else json.dumps(v)) for k, v in fields.items() if v is not None}
        status, _, data = self.raw(path, dict(fields, f='json'), files, method)
        try:
            answer = json.loads(data)
        except ValueError:
            raise RestError(path, f'HTTP {status}: {data[:200]!r}') from None
        if isinstance(answer, dict) and 'error' in answer:
            raise RestError(path, answer['error'])
        return answer

    def data(self, path):
        status, headers, data = self.raw(path, method='GET')
        if status != 200:
            raise RestError(path, f'HTTP {status}')
        return headers, data

    def content(self, operation):
        return f'/sharing/rest/content/users/{urllib.parse.quote(self.user)}/{operation}'

    def wait_job(self, started, pause):
        """A portal job (group export, import) until it ended."""
        while True:
            job = self.call(f"/sharing/rest/portals/self/jobs/{started['jobId']}", key=started['key'])
            if job['status'].lower() in ('succeeded', 'completed', 'failed', 'cancelled'):
                return job
            pause()

    def rows(self, layer_url, **fields):
        """All features of a layer, page by page."""
        offset = 0
        while True:
            page = self.call(layer_url + '/query', where='1=1', outFields='*', orderByFields=fields.pop('order', None), resultOffset=str(offset),
                             resultRecordCount='1000', **fields)
            yield from page['features']
            offset += len(page['features'])
            if not page.get('exceededTransferLimit'):
                return


def path_of(url):
    """The path of a service URL, whatever host it names."""
    return urllib.parse.urlsplit(url).path


def read(path):
    with open(path, 'rb') as f:
        return f.read()


def name_of(path):
    return os.path.basename(path)
