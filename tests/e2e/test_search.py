#!/usr/bin/env python3
"""Search from outside: the grammar, its parameters, order, counts and pages, and that nothing shows of what the searcher may not see.
usage: test_search.py [--program PATH]"""
import json

import moving
from moving import PASSWORD, Server

EXTENT = '[[%g,%g],[%g,%g]]'


class Search(moving.unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.admin = moving.Person(cls.server.url, 'admin', PASSWORD)
        cls.ann, cls.bob = cls.server.add_user('ann'), cls.server.add_user('bob')
        cls.nobody = moving.Person(cls.server.url)
        cls.ids = {}
        for letter, access, fields in (
                ('a', 'public', dict(title='Wild Fire Maps', tags='fire,Forest Service', extent='-10,-10,10,10', typeKeywords='kwone')),
                ('b', 'public', dict(title='Maps of water', tags='water', snippet='where the fire brigade drinks', extent='170,-20,179,-10')),
                ('c', 'public', dict(title='Grüne Wälder', tags='forest', description='<p>trees, and a fire</p>', extent='-179,-20,-170,-10')),
                ('d', 'org', dict(title='Inner fire', tags='fire', extent='20,20,30,30')),
                ('e', 'private', dict(title='Secret fire', tags='unheard')),
                ('f', 'public', dict(title='fire', tags='wildlife'))):
            item = cls.ann.add('Web Map', text={}, **fields)
            cls.ids[letter] = item
            if access != 'private':
                cls.ann.call(f'/sharing/rest/content/items/{item}/share', everyone=str(access == 'public').lower(), org='true')
        cls.ann.call(cls.ann.content(f"items/{cls.ids['a']}/update"), categories='["/Categories/Land/Fire","/Region/North"]')
        cls.ann.call(cls.ann.content(f"items/{cls.ids['b']}/update"), categories='["/Categories/Water"]')
        cls.group = cls.ann.group('Fire people')
        cls.ann.share(cls.ids['e'], cls.group)

    @classmethod
    def tearDownClass(cls):
        cls.server.close()

    def found(self, who, q, **fields):
        """The letters of what is found, in order of the alphabet."""
        answer = who.call('/sharing/rest/search', q=q, num='100', **fields)
        letters = {v: k for k, v in self.ids.items()}
        self.assertEqual(answer['total'], len(answer['results']), answer)
        return ''.join(sorted(letters[i['id']] for i in answer['results'] if i['id'] in letters))

    def order(self, who, q, **fields):
        letters = {v: k for k, v in self.ids.items()}
        return ''.join(letters[i['id']] for i in who.call('/sharing/rest/search', q=q, num='100', **fields)['results'])

    def refused(self, q='fire', **fields):
        with self.assertRaises(moving.RestError) as error:
            self.ann.call('/sharing/rest/search', q=q, **fields)
        self.assertEqual(error.exception.error['code'], 400)
        return json.dumps(error.exception.error)

    def test_grammar(self):
        for q, expected in (
                ('fire', 'abcdef'), ('fire maps', 'ab'), ('"fire maps"', 'a'), ('"maps fire"', ''), ('"maps fire"~1', 'a'), ('"wild maps"~1', 'a'), ('"wild maps"', ''),
                ('title:fire', 'adef'), ('title: fire', 'adef'), ('title:"wild fire"', 'a'), ('title:(wild OR inner)', 'ad'), ('fire AND NOT title:fire', 'bc'), ('+fire -wild', 'bcdef'),
                ('fire -title:fire', 'bc'), ('(wild OR water) AND maps', 'ab'), ('FIRE', 'abcdef'), ('WÄLDER', 'c'), ('grüne', 'c'), ('fi*', 'abcdef'), ('f?re', 'abcdef'), ('title:w*d', 'a'), ('wat?r', 'b'),
                ('fure~', 'abcdef'), ('fure~1', 'abcdef'), ('fire~0.99', 'abcdef'), ('title:wold~1', 'a'), ('maqs~1', 'ab'), ('title:mpas~1', 'ab'), ('fire^3 maps', 'ab'), ('tags:fire', 'ad'),
                ('tags:"forest service"', 'a'), ('tags:for*', 'ac'), ('owner:ann', 'abcdef'), ('owner:Ann', ''), ('type:"Web Map" tags:water', 'b'), ('type:"web map" tags:water', 'b'), ('typekeywords:kwone', 'a'),
                ('access:public', 'abcf'), ('access:org', 'd'), ('access:shared', 'e'), ('access:private', ''), ('categories:"/Categories/Water"', 'b'), ('categories:/categories/land/*', 'a'),
                ('created:[0 TO 1]', ''), ('created:[0000000000000000001 TO *]', 'abcdef'), ('modified:{* TO 9999999999999}', 'abcdef'), ('uploaded:[1 TO *] tags:water', 'b'), ('numviews:0 tags:water', 'b'),
                ('avgrating:[1 TO 5]', ''), ('title:[wild TO wilder] tags:fire', 'a'), ('* AND tags:water', 'b'), ('nosuchfield:fire', ''), ('orgid:0123456789ABCDEF tags:water', 'b'), ('orgid:other', ''),
                ("' OR 1=1 --", ''), ('%', ''), ('fire\\*', 'abcdef')):
            with self.subTest(q):
                self.assertEqual(self.found(self.ann, q), expected)
        self.assertEqual(self.found(self.ann, f"id:{self.ids['a']} OR id:{self.ids['b']}"), 'ab')
        self.assertEqual(self.found(self.ann, self.ids['c']), 'c')
        self.assertEqual(self.found(self.ann, f"id: {self.ids['e']} AND group: {self.group}"), 'e')

    def test_what_is_not_understood(self):
        for q, told in (('(fire', 'parenthesis'), ('"fire', 'quotation mark'), ('fire AND', 'a term'), ('created:[1 2]', 'TO'), ('fire~3', 'letters'), ('f*re~', 'behind a word'), ('title:', 'a term')):
            with self.subTest(q):
                self.assertIn(told, self.refused(q))
        for fields, told in ((dict(bbox='1,2,3'), 'bbox'), (dict(bbox='a,b,c,d'), 'bbox'), (dict(bbox='0,5,1,4'), 'ymin'), (dict(bbox='1,2,3,4,'), 'bbox'), (dict(categories='[1]'), 'categories'),
                             (dict(categories='["a"'), 'categories'), (dict(categories=','.join('abcdefghi')), 'more than 8'), (dict(categoryFilters='a,b,c,d'), 'more than 3'), (dict(countFields='size'), 'countFields'),
                             (dict(countFields='tags,type,access,categories'), 'countFields'), (dict(sortField='password'), 'sortField'), (dict(start='10001'), 'start'), (dict(searchUserAccess='all'), 'searchUserAccess'),
                             (dict(searchUserName='bob'), 'searchUserAccess'), (dict(filter='title:"x'), 'quotation')):
            with self.subTest(fields):
                self.assertIn(told, self.refused(**fields))
        self.assertIn('required', self.ann.error('/sharing/rest/search')['details'][0])

    def test_filter_compares_whole_values(self):
        self.assertEqual(self.found(self.ann, '', filter='title:"fire"'), 'f')
        self.assertEqual(self.found(self.ann, 'wild*', filter='title:"Wild Fire Maps"'), 'a')
        self.assertEqual(self.found(self.ann, 'fire', filter='tags:"fire" OR tags:"wildlife"'), 'adf')
        self.assertEqual(self.found(self.ann, 'fire', filter='title:"fire" OR tags:"water"'), 'bf')

    def test_boxes(self):
        for bbox, expected in (('', 'abcdef'), ('-1,-1,1,1', 'a'), ('10,10,20,20', 'ad'), ('10.001,10.001,19.999,19.999', ''), ('-180,-90,180,90', 'abcd'), ('175,-15,-175,-12', 'bc'), ('179.5,-15,-179.5,-12', ''), ('179,-20,179,-20', 'b'),
                               ('-50,-50,-40,-40', '')):
            with self.subTest(bbox):
                self.assertEqual(self.found(self.ann, 'fire', bbox=bbox), expected)
        self.assertEqual(self.found(self.ann, '', bbox='170,-20,180,-10'), 'b')

    def test_categories(self):
        for categories, expected in (('/Categories/Water', 'b'), ('/Categories/Water,/Region/North', 'ab'), ('["/Categories/Water,/Region/North"]', 'ab'), ('["/Categories/Land/Fire","/Region/North"]', 'a'),
                                     ('["/Categories/Water","/Region/North"]', ''), ('/Categories', '')):
            with self.subTest(categories):
                self.assertEqual(self.found(self.ann, '', categories=categories), expected)
        self.assertEqual(self.found(self.ann, '', categoryFilters='north'), 'a')
        self.assertEqual(self.found(self.ann, 'fire', categoryFilters='land,region'), 'a')
        self.assertEqual(self.found(self.ann, 'fire', categoryFilters='land,water'), '')

    def test_order(self):
        self.assertEqual(sorted(self.order(self.ann, 'fire')[-2:]), ['b', 'c'])  # the title says more than the text
        self.assertEqual(self.order(self.ann, 'fire maps')[0], 'a')
        self.assertEqual(self.order(self.ann, 'wild* OR water^100')[0], 'b')
        self.assertEqual(self.order(self.ann, 'owner:ann', sortField='title'), 'fcdbea')
        self.assertEqual(self.order(self.ann, 'owner:ann', sortField='title', sortOrder='desc'), 'aebdcf')
        self.assertEqual(self.order(self.ann, 'owner:ann', sortField='created', sortOrder='asc'), 'abcdef')
        self.assertEqual(self.order(self.ann, 'owner:ann', sortField='uploaded', sortOrder='desc'), 'fedcba')
        self.assertEqual(self.order(self.ann, 'owner:ann', sortField='scorecompleteness', sortOrder='desc')[:2], 'cb')
        for field in ('modified', 'type', 'owner', 'avgrating', 'numratings', 'numcomments', 'numviews', 'size', 'relevance'):
            self.assertEqual(''.join(sorted(self.order(self.ann, 'owner:ann', sortField=field))), 'abcdef')

    def test_pages(self):
        first = self.ann.call('/sharing/rest/search', q='owner:ann', num='2', sortField='title')
        self.assertEqual((first['query'], first['total'], first['start'], first['num'], first['nextStart']), ('owner:ann', 6, 1, 2, 3))
        last = self.ann.call('/sharing/rest/search', q='owner:ann', num='2', start='5', sortField='title')
        self.assertEqual((last['nextStart'], len(last['results'])), (-1, 2))
        self.assertEqual(self.ann.call('/sharing/rest/search', q='owner:ann', start='7')['nextStart'], -1)
        self.assertEqual(self.ann.call('/sharing/rest/search', q='owner:ann', num='0')['total'], 6)
        self.assertEqual(self.ann.call('/sharing/rest/search', q='owner:ann', start='10000')['results'], [])

    def test_counts(self):
        counts = {c['fieldName']: {v['value']: v['count'] for v in c['fieldValues']} for c in
                  self.ann.call('/sharing/rest/search', q='owner:ann', num='1', countFields='tags,access,categories')['aggregations']['counts']}
        self.assertEqual(counts['access'], {'public': 4, 'org': 1, 'shared': 1})
        self.assertEqual(counts['tags']['fire'], 2)
        self.assertEqual(counts['categories'], {'/Categories/Land/Fire': 1, '/Region/North': 1, '/Categories/Water': 1})
        cut = self.ann.call('/sharing/rest/search', q='owner:ann', countFields='tags', countSize='1')['aggregations']['counts'][0]
        self.assertEqual(cut['fieldValues'], [{'value': 'fire', 'count': 2}])
        self.assertNotIn('aggregations', self.ann.call('/sharing/rest/search', q='owner:ann'))

    def test_nothing_of_what_is_not_seen(self):
        for who, expected in ((self.nobody, 'abcf'), (self.bob, 'abcdf'), (self.ann, 'abcdef'), (self.admin, 'abcdef')):
            self.assertEqual(self.found(who, 'fire'), expected)
            self.assertEqual(self.found(who, 'f*'), expected)
            self.assertEqual(self.found(who, 'fure~'), expected)
            told = json.dumps(who.call('/sharing/rest/search', q='fire', countFields='tags,access', countSize='200'))
            self.assertEqual('unheard' in told, 'e' in expected)
        for who in (self.nobody, self.bob):
            for q in ('secret', 'secr*', 'secret OR nothing', 'NOT zzz AND secret', 'tags:unheard', 'tags:unh*', f"id:{self.ids['e']}", self.ids['e'], f'group:{self.group}', 'group:*', 'access:private', 'access:shared', '"secret fire"',
                      'title:[secret TO secrets]', 'sacret~'):
                with self.subTest(q):
                    self.assertEqual(self.found(who, q), '')

    def test_folders_concern_their_owner(self):
        folder = self.ann.call(self.ann.content('createFolder'), title='Deep')['folder']['id']
        item = self.ann.add('Web Map', 'In a folder', text={}, folder=folder)
        self.ann.call(f'/sharing/rest/content/items/{item}/share', everyone='true')
        for who, total in ((self.ann, 1), (self.admin, 1), (self.bob, 0), (self.nobody, 0)):
            for q in (f'ownerfolder:{folder}', f'id:{item} AND ownerfolder:{folder[:3]}*', f'id:{item} ownerfolder:*'):
                self.assertEqual(who.call('/sharing/rest/search', q=q)['total'], total, q)
        self.ann.call(self.ann.content(f'items/{item}/delete'))

    def test_groups_of_members(self):
        self.ann.call(f'/sharing/rest/community/groups/{self.group}/addUsers', users='bob')
        try:
            self.assertEqual(self.found(self.bob, 'secret'), 'e')
            self.assertEqual(self.found(self.bob, '', searchUserAccess='groupMember'), 'e')
            self.assertEqual(self.found(self.ann, '', searchUserAccess='groupMember', searchUserName='bob'), 'e')
            groups = self.bob.call('/sharing/rest/community/groups', q='*', searchUserAccess='groupMember')
            self.assertEqual([g['id'] for g in groups['results']], [self.group])
            self.assertEqual(self.nobody.error('/sharing/rest/search', q='*', searchUserAccess='groupMember')['code'], 499)
        finally:
            self.ann.call(f'/sharing/rest/community/groups/{self.group}/removeUsers', users='bob')
        self.assertEqual(self.found(self.bob, 'secret'), '')
        self.assertEqual(self.found(self.bob, '', searchUserAccess='groupMember'), '')

    def test_in_a_group(self):
        inside = self.ann.call(f'/sharing/rest/content/groups/{self.group}/search', q='fire', countFields='type')
        self.assertEqual(([i['id'] for i in inside['results']], inside['total']), ([self.ids['e']], 1))
        self.assertEqual(self.ann.call(f'/sharing/rest/content/groups/{self.group}/search', q='water')['total'], 0)
        self.assertTrue(self.bob.error(f'/sharing/rest/content/groups/{self.group}/search', q='fire'))

    def test_groups(self):
        for q, total in (('fire', 1), ('title:people', 1), ('owner:ann', 1), ('peeple~1', 1), ('fir*', 1), (f'id:{self.group}', 1), ('access:private owner:ann', 1), ('water', 0)):
            self.assertEqual(self.ann.call('/sharing/rest/community/groups', q=q)['total'], total, q)
            self.assertEqual(self.bob.call('/sharing/rest/community/groups', q=q)['total'], 0, q)
        self.assertEqual(self.ann.error('/sharing/rest/community/groups', q='*', sortField='size')['code'], 400)

    def test_users(self):
        for q, total in (('username:ann', 1), ('ann', 1), ('username:a*', 2), ('role:org_admin', 1), ('firstname:nobodys', 0)):
            self.assertEqual(self.admin.call('/sharing/rest/community/users', q=q)['total'], total, q)
            self.assertEqual(self.admin.call('/sharing/rest/portals/self/users/search', q=q)['total'], total, q)
        self.assertEqual(self.bob.call('/sharing/rest/community/users', q='role:org_admin')['total'], 0)
        for field in ('lastlogin', 'role', 'password'):
            self.assertEqual(self.bob.error('/sharing/rest/community/users', q='*', sortField=field)['code'], 400, field)

    def test_changes_are_found_at_once(self):
        item = self.ann.add('Web Map', 'Quick brown', text={}, tags='fresh')
        self.assertEqual(self.ann.call('/sharing/rest/search', q='tags:fresh brown')['total'], 1)
        self.ann.call(self.ann.content(f'items/{item}/update'), title='Slow green', tags='stale')
        self.assertEqual(self.ann.call('/sharing/rest/search', q='brown OR tags:fresh')['total'], 0)
        self.assertEqual(self.ann.call('/sharing/rest/search', q='"slow green" tags:stale')['total'], 1)
        self.server.restart()
        self.assertEqual(self.ann.call('/sharing/rest/search', q='"slow green" tags:stale')['total'], 1)
        self.ann.call(self.ann.content(f'items/{item}/delete'))
        self.assertEqual(self.ann.call('/sharing/rest/search', q='tags:stale')['total'], 0)


if __name__ == '__main__':
    moving.main()
