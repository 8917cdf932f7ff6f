"""The table of routes (src/web/routes*.def) as Python sees it, so that tests cover every operation that there is: a small reader of the C
macros in those files."""
import os
import re

WEB = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'src', 'web')
STRING = r'"(?:[^"\\]|\\.)*"'


def arguments(text, at):
    """The arguments of a macro call whose '(' is at text[at], and where it ends."""
    out, depth, start = [], 0, at + 1
    for m in re.compile(STRING + r'|[(),]').finditer(text, at):
        c = m.group(0)
        depth += (c == '(') - (c == ')')
        if (c == ',' and depth == 1) or depth == 0:
            out.append(text[start:m.start()].strip())
            start = m.end()
        if depth == 0:
            return out, m.end()
    raise ValueError('a macro call that does not end')


def replaced(text, values):
    """Words outside of strings replaced."""
    return re.sub(STRING + r'|\w+', lambda m: values.get(m.group(0), m.group(0)), text)


def joined(text):
    return ''.join(s[1:-1] for s in re.findall(STRING, text))


class Route:
    def __init__(self, methods, pattern, handler, who, body, params, _summary):
        self.methods, self.handler, self.who, self.body = methods, handler, who, body
        self.pattern = joined(pattern)
        self.params = []
        for word in joined(params).split():
            head = word.partition('=')[0]
            name, _, kind = head.partition(':')
            self.params.append((name.replace('!', ''), kind or 'text', '!' in name))
        self.captures = re.findall(r'\{([^}]*)\}', self.pattern)


def read_file(name):
    with open(os.path.join(WEB, name)) as f:
        text = re.sub(r'/\*.*?\*/', '', f.read().replace('\\\n', ' '), flags=re.S)
    constants, functions, rest = {}, {}, []
    for line in text.split('\n'):
        m = re.match(r'#define (\w+)(\(([^)]*)\))?\s+(.*)', line)
        if m and m.group(2):
            functions[m.group(1)] = ([p.strip() for p in m.group(3).split(',')], m.group(4))
        elif m:
            constants[m.group(1)] = m.group(4)
        elif not line.startswith('#'):
            rest.append(line)
    text = replaced('\n'.join(rest), constants)
    for name, (params, body) in functions.items():
        while m := re.search(r'\b' + name + r'\(', text):
            values, end = arguments(text, m.end() - 1)
            text = text[:m.start()] + replaced(body, dict(zip(params, values))) + text[end:].removeprefix(';')
    text = replaced(text, constants)
    out, at = [], 0
    while m := re.compile(r'\bROUTE\(').search(text, at):
        values, at = arguments(text, m.end() - 1)
        out.append(Route(*values))
    return out


def routes():
    out = []
    for name in sorted(os.listdir(WEB)):
        if re.fullmatch(r'routes_\w+\.def', name):
            out += read_file(name)
    return out
