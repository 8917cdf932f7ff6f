#!/usr/bin/env python3
"""Files into served, indexed layers: points with twelve attributes as CSV, GeoJSON and zipped Shapefile, published from an item that is there, beside
ogr2ogr into a GeoPackage with its spatial index, synced. usage: bench/publish.py [--data DIR] [--rows N] [--pairs N] [--program PATH]"""
import argparse
import os
import shutil
import subprocess
import tempfile
import time

from measure import ROOT, cpu_of, keep, median, peak_kb, reset_peak, server, shell

FORMATS = {'csv': ('CSV', 'csv', 'CSV', '-lco GEOMETRY=AS_XY', '-oo X_POSSIBLE_NAMES=X -oo Y_POSSIBLE_NAMES=Y -oo AUTODETECT_TYPE=YES -a_srs EPSG:4326', 0.35),
           'geojson': ('GeoJson', 'geojson', 'GeoJSON', '-lco COORDINATE_PRECISION=15', '', 0.3), 'shapefile': ('Shapefile', 'zip', 'ESRI Shapefile', '-lco ENCODING=UTF-8', '', 0.35)}


def make(source, work, name, rows):
    """The file of a format, and what the peer reads (a Shapefile that is not zipped)."""
    _, suffix, driver, options, _, _ = FORMATS[name]
    folder = os.path.join(work, name)
    os.makedirs(folder)
    path = os.path.join(folder, 'points.' + ('shp' if name == 'shapefile' else suffix))
    subprocess.run(f"ogr2ogr -f '{driver}' {path} {source} -nln points -sql 'SELECT * FROM points_1m LIMIT {rows}' {options}", shell=True, check=True, stderr=subprocess.DEVNULL)
    if name != 'shapefile':
        return path, path
    packed = shutil.make_archive(os.path.join(work, 'points'), 'zip', folder)
    return packed, path


def publish(portal, started, item, name, number):
    """Wall and CPU seconds from the call to the end of the job."""
    reset_peak(started.process.pid)
    cpu, start = cpu_of(started.process.pid), time.monotonic()
    parameters = {'name': f'{name}_{number}'}
    if name == 'csv':
        parameters.update(locationType='coordinates', latitudeFieldName='Y', longitudeFieldName='X', targetSR={'wkid': 4326})
    made = portal.call(portal.content('publish'), itemId=item, fileType=name, publishParameters=parameters)['services'][0]
    while True:
        status = portal.call(portal.content(f"items/{made['serviceItemId']}/status"), jobId=made['jobId'])
        if status['status'] == 'failed':
            raise SystemExit(f'bench: {status}')
        if status['status'] == 'completed':
            break
        time.sleep(0.02)
    return {'wall': time.monotonic() - start, 'cpu': cpu_of(started.process.pid) - cpu, 'peak_kb': peak_kb(started.process.pid)}


def peer(path, name, work, number):
    out = os.path.join(work, f'peer_{name}_{number}.gpkg')
    times = shell(f'ogr2ogr -f GPKG {out} {path} {FORMATS[name][4]} && sync {out}')
    os.unlink(out)
    return times


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--data', default=os.path.join(ROOT, 'build', 'bench-data'))
    parser.add_argument('--rows', type=int, default=1_000_000)
    parser.add_argument('--pairs', type=int, default=3)
    parser.add_argument('--program', default=os.path.join(ROOT, 'build', 'mapferry'))
    args = parser.parse_args()
    source = os.path.join(args.data, 'points_1m.gpkg')
    if not os.path.exists(source):
        subprocess.run([os.path.join(ROOT, 'bench', 'gen.sh'), args.data], check=True)
    work, results = tempfile.mkdtemp(prefix='mapferry-bench-'), []
    started, portal = server(os.path.abspath(args.program), work, 'publish')
    try:
        for name, (item_type, suffix, *_, asked) in FORMATS.items():
            packed, read = make(source, work, name, args.rows)
            with open(packed, 'rb') as f:
                item = portal.call(portal.content('addItem'), files=[('file', (f'points.{suffix}', f.read()))], title=name, type=item_type, tags='bench')['id']
            ours, theirs = [], []
            for k in range(args.pairs):
                ours.append(publish(portal, started, item, name, k))
                theirs.append(peer(read, name, work, k))
            results.append({'name': name, 'rows': args.rows, 'asked': asked, 'ours': ours, 'peer': theirs})
            for what in ('wall', 'cpu'):
                print(f"publish {name:10} {what:4} {median([o[what] for o in ours]):6.2f} s, ogr2ogr {median([t[what] for t in theirs]):6.2f} s, "
                      f"ratio {median([o[what] / t[what] for o, t in zip(ours, theirs)]):.2f} (asked: {asked})", flush=True)
        keep('publish', args.pairs, results)
    finally:
        started.stop()
        shutil.rmtree(work, ignore_errors=True)


if __name__ == '__main__':
    main()
