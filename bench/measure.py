"""What the measurements share: wall time, CPU time and memory of a process, programs of bench/ built for this machine, results kept as data."""
import argparse
import contextlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..')
sys.path.insert(0, os.path.join(ROOT, 'tools'))
from demo import PASSWORD, Server, free_port  # noqa: E402
from rest import Portal  # noqa: E402


def peak_kb(pid):
    with open(f'/proc/{pid}/status') as f:
        for line in f:
            if line.startswith('VmHWM:'):
                return int(line.split()[1])
    return 0


def cpu_of(pid):
    """User and system seconds of a process with its threads, and of the children it has waited for."""
    with open(f'/proc/{pid}/stat') as f:
        fields = f.read().rsplit(')', 1)[1].split()
    return (int(fields[11]) + int(fields[12]) + int(fields[13]) + int(fields[14])) / os.sysconf('SC_CLK_TCK')


def cpu_of_tree(pid):
    """The same of a process with all that it started, some of which may still run."""
    parents = {}
    for name in filter(str.isdigit, os.listdir('/proc')):
        with contextlib.suppress(OSError), open(f'/proc/{name}/stat') as f:
            parents[int(name)] = int(f.read().rsplit(')', 1)[1].split()[1])
    family, last = {pid}, 0
    while last != len(family):
        last = len(family)
        family |= {child for child, parent in parents.items() if parent in family}
    return sum(cpu_of(p) for p in family if p == pid or p in parents)


def reset_peak(pid):
    with open(f'/proc/{pid}/clear_refs', 'w') as f:
        f.write('5')


def shell(command):
    """Wall and CPU seconds of a peer, as a whole process tree."""
    before, start = os.times(), time.monotonic()
    subprocess.run(['bash', '-o', 'pipefail', '-c', command], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wall, after = time.monotonic() - start, os.times()
    return {'wall': wall, 'cpu': after.children_user + after.children_system - before.children_user - before.children_system}


def build(source, work, *libraries):
    """A program of bench/, compiled into the work folder."""
    program = os.path.join(work, os.path.splitext(os.path.basename(source))[0])
    if not os.path.exists(program):
        subprocess.run(['cc', '-O2', '-D_GNU_SOURCE', '-o', program, os.path.join(ROOT, 'bench', source), *libraries], check=True)
    return program


def server(program, work, name):
    """A portal with an empty store, and its administrator's client."""
    os.makedirs(work, exist_ok=True)
    started = Server(program, work, name, free_port())
    return started, Portal(started.url, 'admin', PASSWORD)


def median(values):
    values = sorted(values)
    return values[len(values) // 2]


def keep(bench, pairs, results):
    """The results of a run, with the machine, as a file of bench/results."""
    machine = {'cpus': os.cpu_count(), 'kernel': platform.release(), 'machine': platform.machine()}
    path = os.path.join(ROOT, 'bench', 'results', time.strftime(bench + '-%Y%m%d-%H%M%S.json'))
    with open(path, 'w') as f:
        json.dump({'bench': bench, 'machine': machine, 'pairs': pairs, 'results': results}, f, indent=1)
    print('kept in', os.path.relpath(path, ROOT))


def run(bench, kind, works):
    """A measuring program: `kind` is a class with a function for each of the works and a list of results; all works are done when none is named."""
    parser = argparse.ArgumentParser()
    parser.add_argument('--data', default=os.path.join(ROOT, 'build', 'bench-data'))
    parser.add_argument('--pairs', type=int, default=3)
    parser.add_argument('--program', default=os.path.join(ROOT, 'build', 'mapferry'))
    parser.add_argument('what', nargs='*', metavar='{' + ','.join(works) + '}')
    args = parser.parse_args()
    if not set(args.what) <= set(works):
        parser.error('there is ' + ', '.join(works))
    os.makedirs(args.data, exist_ok=True)
    work = tempfile.mkdtemp(prefix='mapferry-bench-', dir=args.data)
    try:
        with contextlib.closing(kind(os.path.abspath(args.program), args.data, args.pairs, work)) as b:
            for what in args.what or works:
                getattr(b, what)()
        keep(bench, args.pairs, b.results)
    finally:
        shutil.rmtree(work, ignore_errors=True)
