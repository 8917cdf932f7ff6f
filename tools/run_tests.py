#!/usr/bin/env python3
"""Every check of the project, each a countable test: one line per test while they run, logs of what failed at the end, then
`N passed, N failed, N skipped`. Builds first what a check needs. Words on the command line choose the tests whose names contain one of them."""
import argparse
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import demo

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
CPUS = len(os.sched_getaffinity(0))
TTY = sys.stdout.isatty()
# Where threads meet each other: what ThreadSanitizer runs.
THREADED = ['base', 'net', 'store', 'service', 'jobs', 'web']
FUZZ_SECONDS = 5
LOG_LINES = 60


class Failed(Exception):
    """A check did not hold; the text is its log."""


class Skipped(Exception):
    pass


def run(command, seconds=900, env=None, cwd=ROOT):
    """The output of a command; Failed with it when the command does not end with 0 in time."""
    try:
        p = subprocess.run(command, cwd=cwd, env=dict(os.environ, **(env or {})), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, encoding='utf-8', errors='replace', timeout=seconds)
    except subprocess.TimeoutExpired as e:
        raise Failed(f'{" ".join(command)}\nnot done after {seconds} s\n' + (e.stdout or b'').decode(errors='replace'))
    if p.returncode != 0:
        raise Failed(f'{" ".join(command)}\n{p.stdout}\nended with {p.returncode}')
    return p.stdout


def fixed_addresses():
    """What goes before a program under a sanitizer: those of Debian 12 stumble over kernels that spread addresses far. Not every container
    lets us."""
    command = ['setarch', '-R']
    return command if subprocess.run([*command, 'true'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0 else []


def files(folders, pattern):
    return sorted(os.path.relpath(f, ROOT) for folder in folders for f in glob.glob(os.path.join(ROOT, folder, '**', pattern), recursive=True))


# ---------------------------------------------------------------- results

class Results:
    def __init__(self):
        self.lock = threading.Lock()
        self.passed = self.failed = self.skipped = 0
        self.logs = []

    def add(self, name, verdict, seconds, text=''):
        mark = {'ok': '\033[32mok\033[0m', 'FAILED': '\033[31mFAILED\033[0m', 'skipped': '\033[33mskipped\033[0m'}[verdict] if TTY else verdict
        with self.lock:
            if verdict == 'ok':
                self.passed += 1
            elif verdict == 'FAILED':
                self.failed += 1
                self.logs.append((name, text))
            else:
                self.skipped += 1
            reason = f' ({text})' if verdict == 'skipped' else ''
            print(f'{mark} {name} {seconds:.1f} s{reason}', flush=True)

    def end(self):
        for name, text in self.logs:
            lines = text.rstrip().split('\n')
            cut = [f'... {len(lines) - LOG_LINES} lines before'] if len(lines) > LOG_LINES else []
            print(f'\n---- {name}\n' + '\n'.join(cut + lines[-LOG_LINES:]), flush=True)
        print(f'\n{self.passed} passed, {self.failed} failed, {self.skipped} skipped', flush=True)
        return 1 if self.failed or not self.passed else 0


# ---------------------------------------------------------------- tasks

class Task:
    """work(report) runs the check; it may report further tests of its own, and returns, or raises Failed or Skipped, for the task itself. A task
    that is no test itself (`counted` false) only shows when it fails."""

    def __init__(self, name, work, needs=(), whole_machine=False, counted=True):
        self.name, self.work, self.needs, self.whole_machine, self.counted = name, work, list(needs), whole_machine, counted
        self.state = 'waiting'


class Runner:
    """Tasks in their order, as many at once as there are processors; one that uses the whole machine runs alone."""

    def __init__(self, tasks, results):
        self.tasks, self.results = tasks, results
        self.changed = threading.Condition()
        self.running = 0
        self.alone = False

    def chosen(self, words):
        by_name = {t.name: t for t in self.tasks}
        keep = set()

        def add(name):
            if name not in keep:
                keep.add(name)
                for need in by_name[name].needs:
                    add(need)
        for t in self.tasks:
            if not words or any(w in t.name for w in words):
                add(t.name)
        self.tasks = [t for t in self.tasks if t.name in keep]

    def pick(self):
        """The next task that can start, None when one has to wait; a task whose build failed is skipped."""
        done = {t.name: t.state for t in self.tasks}
        for t in self.tasks:
            if t.state != 'waiting':
                continue
            states = [done[n] for n in t.needs]
            if 'failed' in states:
                t.state = 'failed'
                self.results.add(t.name, 'FAILED', 0, 'what it needs failed: ' + ', '.join(n for n in t.needs if done[n] == 'failed'))
                return self.pick()
            if all(s == 'done' for s in states):
                if self.alone or (t.whole_machine and self.running):
                    return None
                return t
        return None

    def worker(self):
        while True:
            with self.changed:
                task = self.pick()
                while not task:
                    if not self.running:  # nothing can start any more
                        return
                    self.changed.wait()
                    task = self.pick()
                task.state = 'running'
                self.running += 1
                self.alone = task.whole_machine
            state = self.do(task)
            with self.changed:
                task.state = state
                self.running -= 1
                self.alone = False
                self.changed.notify_all()

    def do(self, task):
        start = time.monotonic()
        try:
            task.work(self.results.add)
            verdict, text = 'ok', ''
        except Failed as e:
            verdict, text = 'FAILED', str(e)
        except Skipped as e:
            verdict, text = 'skipped', str(e)
        except Exception as e:  # a check that breaks has failed, the others go on
            verdict, text = 'FAILED', f'{type(e).__name__}: {e}'
        if task.counted or verdict != 'ok':
            self.results.add(task.name, verdict, time.monotonic() - start, text)
        return 'failed' if verdict == 'FAILED' else 'done'

    def run(self):
        threads = [threading.Thread(target=self.worker) for _ in range(CPUS)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()


# ---------------------------------------------------------------- the checks

class Checks:
    def __init__(self, builds, scratch):
        self.builds, self.scratch = builds, scratch
        self.program = os.path.join(builds, 'build', 'mapferry')
        self.tasks = []

    def add(self, name, work, **how):
        self.tasks.append(Task(name, work, **how))

    def command(self, name, command, **how):
        self.add(name, lambda report: run(command), **how)

    # ---- without building
    def texts(self):
        self.command('house: rooms and libraries', ['python3', 'tools/check_layers.py'])
        self.command('house: form', ['python3', 'tools/check_banned.py'])
        self.command('house: generated documents', ['python3', 'tools/gen_docs.py', '--check'])
        self.add('house: format', self.format)
        self.add('house: cppcheck', self.cppcheck)
        for script in files(['script', '.ci'], '*'):
            self.command(f'house: {script} is shell', ['bash', '-n', script])

    def format(self, report):
        try:
            run(['clang-format', '--dry-run', '-Werror', *files(['src', 'tests'], '*.[ch]')])
        except Failed as e:
            wrong = sorted(set(re.findall(r'^(\S+?):\d+:\d+: error', str(e), re.M)))
            raise Failed('run clang-format -i on ' + '\n'.join(wrong)) if wrong else e

    def cppcheck(self, report):
        cache = os.path.join(self.builds, 'build-cppcheck')
        os.makedirs(cache, exist_ok=True)
        run(['cppcheck', '--quiet', '--std=c11', '--enable=warning,performance,portability', '--library=posix', '--library=gnu', '-I', 'src',
             '--suppressions-list=tools/cppcheck-suppressions.txt', '--error-exitcode=1', f'--cppcheck-build-dir={cache}',
             'src', 'tests/unit', 'tests/fuzz'])

    # ---- builds
    def folder(self, name):
        return os.path.join(self.builds, name)

    def build(self, name, folder, compiler, *options, targets=None, needs=()):
        def work(report):
            where = self.folder(folder)
            if not os.path.exists(os.path.join(where, 'build.ninja')):
                shutil.rmtree(where, ignore_errors=True)
                run(['meson', 'setup', where, ROOT, *options], env={'CC': compiler})
            run(['ninja', '-C', where, 'build.ninja'])  # before the list of targets is read
            chosen = targets(where) if targets else []
            run(['ninja', '-C', where, '--quiet', f'-j{CPUS}', *chosen], seconds=1800)
        self.add(name, work, needs=needs, whole_machine=True)

    def all_builds(self):
        self.build('build: gcc, release', 'build', 'gcc', '--buildtype=release')
        self.build('build: gcc, address and undefined behaviour sanitizers', 'build-asan', 'gcc', '--buildtype=debugoptimized', '-Db_sanitize=address,undefined',
                   '-Dc_args=-fno-sanitize-recover=undefined')
        self.build('build: clang', 'build-clang', 'clang', '--buildtype=release')
        self.build('build: clang, thread sanitizer', 'build-tsan', 'clang', '--buildtype=debugoptimized', '-Db_sanitize=thread', '-Db_lundef=false',
                   targets=self.threaded_programs)
        self.build('build: clang, fuzzers', 'build-fuzz', 'clang', '--buildtype=debugoptimized', '-Db_sanitize=address,undefined', '-Db_lundef=false',
                   '-Dfuzz=true', '-Dc_args=-fsanitize=fuzzer-no-link -fno-sanitize-recover=undefined',
                   targets=lambda where: ['tests/fuzz/' + self.fuzz_name(f) for f in files(['tests/fuzz'], 'fuzz_*.c')])
        self.command('house: exported names', ['python3', 'tools/check_banned.py', '--objects', self.folder('build')], needs=['build: gcc, release'])

    # ---- unit tests, by meson's list
    @staticmethod
    def listed(where, what):
        return json.loads(run(['meson', 'introspect', where, what]))

    def threaded_programs(self, where):
        """What the tests of the suites THREADED run: themselves, and what they start."""
        built = {t['id']: os.path.relpath(t['filename'][0], where) for t in self.listed(where, '--targets')}
        return sorted({built[d] for t in self.listed(where, '--tests') if t['suite'][0].split(':')[-1] in THREADED for d in t['depends']})

    def meson_tests(self, title, folder, env, suites=(), slower=1):
        def work(report):
            where = self.folder(folder)
            logs = os.path.join(where, 'meson-logs', 'testlog*.json')  # a wrapper puts its name into that of the log
            for old in glob.glob(logs):
                os.remove(old)
            trouble = ''
            try:
                run(['meson', 'test', '-C', where, '--no-rebuild', '--num-processes', str(CPUS), '--timeout-multiplier', str(slower),
                     *(['--wrapper', ' '.join(fixed_addresses())] if fixed_addresses() else []),
                     *(w for suite in suites for w in ('--suite', suite))], seconds=1800, env=env)
            except Failed as e:
                trouble = str(e)
            if not sum(self.report_log(title, log, report) for log in glob.glob(logs)):
                raise Failed(trouble or 'there was nothing to run')
        return work

    @staticmethod
    def report_log(title, log, report):
        count = 0
        with open(log, encoding='utf-8') as f:
            for line in f:
                t = json.loads(line)
                name = f'{title} {t["name"].split(":")[-1].strip()}'
                output = t.get('stdout', '') + '\n' + t.get('stderr', '') + f'\n{t["result"]}, exit status {t.get("returncode")}'
                verdict = {'OK': 'ok', 'SKIP': 'skipped', 'EXPECTEDFAIL': 'ok'}.get(t['result'], 'FAILED')
                report(name, verdict, t['duration'], 'the test said so' if verdict == 'skipped' else output)
                count += 1
        return count

    def unit_tests(self):
        asan = {'ASAN_OPTIONS': 'abort_on_error=1:detect_leaks=1:strict_string_checks=1', 'UBSAN_OPTIONS': 'print_stacktrace=1:halt_on_error=1',
                'LSAN_OPTIONS': f'suppressions="{ROOT}/tools/lsan-suppressions.txt":print_suppressions=0'}
        tsan = {'TSAN_OPTIONS': f'halt_on_error=1:second_deadlock_stack=1:suppressions="{ROOT}/tools/tsan-suppressions.txt"'}
        self.add('unit tests and fuzz corpus', self.meson_tests('asan:', 'build-asan', asan, slower=4),
                 needs=['build: gcc, address and undefined behaviour sanitizers'], whole_machine=True, counted=False)
        self.add('threaded tests', self.meson_tests('tsan:', 'build-tsan', tsan, THREADED, slower=6), needs=['build: clang, thread sanitizer'],
                 whole_machine=True, counted=False)

    # ---- fuzzers
    @staticmethod
    def fuzz_name(path):
        return os.path.basename(path)[:-2]

    def fuzz_tests(self, seconds):
        for path in files(['tests/fuzz'], 'fuzz_*.c'):
            self.add(f'fuzz: {self.fuzz_name(path)[5:]}, {seconds} s', self.fuzz(self.fuzz_name(path), seconds), needs=['build: clang, fuzzers'])

    def fuzz(self, name, seconds):
        def work(report):
            found, corpus = os.path.join(self.scratch, name), os.path.join(ROOT, 'tests/fuzz/corpus', name[5:])
            os.makedirs(os.path.join(found, 'new'))
            run([*fixed_addresses(), os.path.join(self.folder('build-fuzz'), 'tests/fuzz', name), f'-max_total_time={seconds}', '-timeout=20', '-rss_limit_mb=2048', '-print_final_stats=1',
                 f'-artifact_prefix={found}/', os.path.join(found, 'new'), corpus], seconds=seconds + 300)
        return work

    # ---- from outside
    def end_to_end(self, thorough):
        env = {'MAPFERRY_PROGRAM': self.program}
        self.add('e2e: demo', lambda report: run(['python3', 'tools/demo.py', '--program', self.program, '--once'], env=env), needs=['build: gcc, release'])
        for script in files(['tests/e2e'], 'test_*.py'):
            name = os.path.basename(script)[:-3]
            words = ['--all'] if thorough and name.startswith(('test_crash', 'test_geometries')) else []
            self.add(f'e2e: {name}', self.counting(f'e2e: {name}:', ['python3', script, '-v', *words], env, 24 * 3600 if thorough else 1200),
                     needs=['build: gcc, release'], counted=False)
        if os.path.isdir(os.path.join(ROOT, 'tests/clients')):
            for name, tls in (('clients', False), ('clients over tls', True)):
                self.add(name, lambda report, name=name, tls=tls: self.clients(name, tls, report), needs=['build: gcc, release'], counted=False)

    def clients(self, name, tls, report):
        """Other people's clients, against a portal started for them; Node gets its authority as a user of such a portal would give it."""
        if not shutil.which('npm') or not shutil.which('node'):
            raise Skipped('npm is not there')
        if not os.path.exists(os.path.join(ROOT, 'tests/clients/node_modules/.package-lock.json')):
            raise Skipped('npm could not install the clients')
        tests = [os.path.join(ROOT, t) for t in files(['tests/clients'], '*.test.mjs') if '/node_modules/' not in t]
        folder = os.path.join(self.scratch, name)
        os.makedirs(folder)
        server = demo.Server(self.program, folder, 'portal', demo.free_port(), tls)
        try:
            env = {'PORTAL_URL': server.url, 'ADMIN_USER': 'admin', 'ADMIN_PASSWORD': demo.PASSWORD, 'MAPFERRY_PROGRAM': self.program,
                   **({'NODE_EXTRA_CA_CERTS': server.authority} if tls else {})}
            self.counting(f'{name}:', ['node', '--test', '--test-reporter=tap', *tests], env, 1200)(report)
        finally:
            server.stop()

    @staticmethod
    def named_tests(output):
        """(name, verdict, why skipped) of each test of a TAP report or of unittest's verbose one."""
        out, groups = [], []
        for indent, begun, verdict, name, details in re.findall(
                r'^( *)(?:# Subtest: (.*)|(ok|not ok) \d+(?: -)? ?(.*)(?:\n\1  ---\n((?:\1  .*\n)*?)\1  \.\.\.)?)$', output, re.M):
            groups = groups[:len(indent) // 4]
            if begun:
                groups.append(begun)
            elif f"{indent}  type: 'suite'\n" not in details:  # node counts groups of tests as well
                skip = re.search(r'# SKIP\b ?(.*)$', name, re.I)
                out.append((': '.join([*groups, re.sub(r' *#.*$', '', name)]), 'skipped' if skip else 'ok' if verdict == 'ok' else 'FAILED',
                            skip.group(1) if skip else ''))
        for name, verdict, why in re.findall(r"^(.*?) \.\.\. (?:.*?)(ok|FAIL|ERROR|skipped ['\"](.*)['\"])$", output, re.M):
            out.append((name, 'skipped' if why else 'ok' if verdict == 'ok' else 'FAILED', why))
        return out

    def counting(self, title, command, env, seconds):
        """A program that names its tests, or ends with `N passed`: each is reported; what went wrong beside them fails the program itself."""
        def work(report):
            start, trouble = time.monotonic(), None
            try:
                output = run(command, env=env, seconds=seconds)
            except Failed as e:
                output = trouble = str(e)
            tests = self.named_tests(output)
            log = output
            for name, (verdict, why) in {name: (verdict, why) for name, verdict, why in tests}.items():  # parts of a test that fail name it again
                report(f'{title} {name}', verdict, 0, why if verdict == 'skipped' else log)
                if verdict == 'FAILED':
                    log = 'see the log above'
            if trouble and all(verdict != 'FAILED' for _, verdict, _ in tests):
                raise Failed(trouble)
            if not tests and not re.search(r'\b[1-9]\d* passed\b', output):
                raise Failed(f'it names no test that it ran:\n{output}')
            if not tests:
                report(title.rstrip(':'), 'ok', time.monotonic() - start)
        return work


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('words', nargs='*', help='only tests whose names contain one of these')
    parser.add_argument('--builds', default=ROOT, help='folder that holds the build folders (default: the project)')
    parser.add_argument('--fuzz-seconds', type=int, default=FUZZ_SECONDS, help='time of each fuzzer')
    parser.add_argument('--thorough', action='store_true', help='every place of the crash tests and a million geometries, not a sample')
    parser.add_argument('--list', action='store_true', help='names of the checks')
    options = parser.parse_args()
    sys.stdout.reconfigure(encoding='utf-8')
    os.environ['PYTHONUTF8'] = '1'  # names of tests are UTF-8 in every locale
    results = Results()
    with tempfile.TemporaryDirectory(prefix='mapferry-tests-') as scratch:
        checks = Checks(os.path.abspath(options.builds), scratch)
        checks.texts()
        checks.all_builds()
        checks.unit_tests()
        checks.end_to_end(options.thorough)
        checks.fuzz_tests(options.fuzz_seconds)
        runner = Runner(checks.tasks, results)
        runner.chosen(options.words)
        if options.list:
            print('\n'.join(t.name for t in runner.tasks))
            return 0
        runner.run()
        return results.end()


if __name__ == '__main__':
    sys.exit(main())
