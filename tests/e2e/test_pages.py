#!/usr/bin/env python3
"""Every operation as a page: a GET without f gives the page of what it reads, or the form of what it changes, with a control for each
parameter; nothing runs in it, everything that people wrote is text, and its links stay within the portal."""
import html.parser
import os
import re
import sys
import unittest
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import moving  # noqa: E402
from moving import Server  # noqa: E402
from routes import routes  # noqa: E402

EVIL = '"><script>alert(1)</script><img src=x onerror=alert(2)>\'</textarea></pre></option>'
BYTES = {'/healthz', '/readyz', '/metrics'}  # texts for programs
KINDS = {'int': 'number', 'double': 'number', 'file': 'file', 'bool': 'select', 'json': 'textarea'}


class Page(html.parser.HTMLParser):
    """What a browser would make of it: elements, controls by name, links."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.controls, self.links, self.attributes, self.text = set(), {}, [], set(), ''
        self.forms = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.add(tag)
        self.attributes |= attrs.keys()
        if tag in ('input', 'select', 'textarea'):
            self.controls[attrs['name']] = attrs.get('type', tag)
        if tag == 'form':
            self.forms.append(attrs)
        if tag == 'a':
            self.links.append(attrs['href'])

    def handle_data(self, data):
        self.text += data


class Pages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.close)
        cls.admin = a = cls.server.sign_in()
        group = a.group('A ' + EVIL, snippet=EVIL, description=EVIL)
        item = a.add('Web Map', 'M ' + EVIL, text={'title': EVIL}, group=group, snippet=EVIL, description=EVIL, tags='x' + EVIL)
        folder = a.call(a.content('createFolder'), title='F ' + EVIL)['folder']['id']
        a.resource(item, 'images/a.png', moving.png())
        moving.rich_service(a, 'Rich', group)
        cls.values = {'portalId': 'self', 'user': 'admin', 'username': 'admin', 'folderId': folder, 'itemId': item, 'groupId': group, 'jobId': 'f' * 32, 'name': 'Rich', 'layerId': '0',
                      'objectId': '1', 'attachmentId': '1', 'path...': 'images/a.png'}

    def path_of(self, route, **wrong):
        return re.sub(r'\{([^}]*)\}', lambda m: urllib.parse.quote(dict(self.values, **wrong).get(m.group(1), 'f' * 32), safe='/'), route.pattern)

    def page(self, path):
        status, headers, body = self.admin.raw(path, method='GET')
        if not headers['Content-Type'].startswith('text/html'):
            return status, headers, None
        text = body.decode()
        page = Page(text)
        self.assertNotIn('<script', text, path)
        self.assertFalse(page.tags & {'script', 'img', 'iframe', 'object', 'embed', 'link', 'base'}, path)
        self.assertFalse([n for n in page.attributes if n.startswith('on') or n in ('style', 'srcdoc', 'formaction')], path)
        policy = headers['Content-Security-Policy']
        self.assertTrue(policy.startswith("default-src 'none'; style-src 'sha256-") and 'unsafe' not in policy, policy)
        for link in page.links:
            self.assertRegex(link, r'^(/[^/]|/$|https?://)', path)
        return status, headers, page

    def test_every_operation(self):
        seen = 0
        for route in routes():
            path = self.path_of(route)
            with self.subTest(route=route.pattern):
                status, headers, page = self.page(path)
                if page is None:  # bytes, or a text for programs
                    self.assertTrue(route.pattern in BYTES or route.params == [] or 'path...' in route.captures or status == 200, headers['Content-Type'])
                    continue
                seen += 1
                post = route.methods == 'METHOD_POST'
                self.assertEqual(len(page.forms), 1 if post or route.params else 0)
                if not page.forms:
                    continue
                self.assertEqual(page.forms[0]['method'], 'post' if post else 'get')
                self.assertEqual(page.forms[0].get('enctype'), 'multipart/form-data' if route.body == 'BODY_FILES' else None)
                for name, kind, _ in route.params:
                    expected = KINDS.get(kind) or ('password' if 'password' in name.lower() else 'text')
                    self.assertEqual(page.controls.get(name), expected, name)
                self.assertEqual(page.controls['f'], 'select')
        self.assertGreater(seen, 80)

    def test_what_is_asked_comes_back_as_text(self):
        evil = urllib.parse.quote(EVIL, safe='')
        for route in routes():
            query = '&'.join(f'{name}={evil}' for name, _, _ in route.params)
            with self.subTest(route=route.pattern):
                self.page(f'{self.path_of(route)}?{query}')
                if route.captures:
                    self.page(self.path_of(route, **{c: EVIL for c in route.captures if c != 'path...'}))

    def test_an_error_is_in_words(self):
        status, _, page = self.page('/sharing/rest/content/items/' + 'f' * 32)
        self.assertEqual(status, 400)
        self.assertIn('Item does not exist or is inaccessible.', page.text)

    def test_results_lead_on(self):
        """From the directory to an item of a group by links alone."""
        base = self.server.url
        for path, link in (('/', f'{base}/sharing/rest'), ('/sharing/rest/search?q=type:%22Web+Map%22', f"{base}/sharing/rest/content/items/{self.values['itemId']}"),
                           ('/server/rest/services/Hosted', f'{base}/server/rest/services/Hosted/Rich/FeatureServer')):
            self.assertIn(link, self.page(path)[2].links)


if __name__ == '__main__':
    moving.main()
