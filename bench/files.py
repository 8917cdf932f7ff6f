#!/usr/bin/env python3
"""Files in and files out beside ogr2ogr, synced: points with twelve attributes published from an item that is there into a served, indexed layer, beside a
GeoPackage with its spatial index; and layers exported to items, beside the same format by the peer, zipped where ours is.
usage: bench/files.py [--data DIR] [--pairs N] [--program PATH] [publish] [export]"""
import os
import shutil
import subprocess
import time

from hosted import Hosted, source
from measure import cpu_of, median, peak_kb, reset_peak, run, shell

# name: type of the item, suffix, what the peer makes the file with, what it reads it with, asked
FILES = {'csv': ('CSV', 'csv', '-f CSV -lco GEOMETRY=AS_XY', '-oo X_POSSIBLE_NAMES=X -oo Y_POSSIBLE_NAMES=Y -oo AUTODETECT_TYPE=YES -a_srs EPSG:4326', 0.35),
         'geojson': ('GeoJson', 'geojson', '-f GeoJSON -lco COORDINATE_PRECISION=15', '', 0.3), 'shapefile': ('Shapefile', 'zip', "-f 'ESRI Shapefile' -lco ENCODING=UTF-8", '', 0.35)}
# what, layer, format, exportParameters of the layer, the peer's options and suffix, is it zipped, asked
EXPORTS = (('CSV, attributes', 'points_1m', 'CSV', {'includeGeometry': False}, '-f CSV', 'csv', False, 0.25),
           ('CSV with x and y', 'points_1m', 'CSV', {}, '-f CSV -lco GEOMETRY=AS_XY', 'csv', False, 0.2),
           ('GeoJSON', 'points_1m', 'GeoJson', {}, '-f GeoJSON', 'geojson', False, 0.25),
           ('Shapefile', 'points_1m', 'Shapefile', {}, "-f 'ESRI Shapefile' -lco ENCODING=UTF-8", 'shp', True, 0.2),
           ('GeoPackage', 'points_1m', 'GeoPackage', {}, '-f GPKG', 'gpkg', False, 0.15),
           ('File Geodatabase', 'points_1m', 'File Geodatabase', {}, '-f OpenFileGDB', 'gdb', True, 0.6),
           ('Excel', 'points_1m', 'Excel', {}, '-f XLSX', 'xlsx', False, 0.3),
           ('polygons, GeoJSON', 'polygons_100k', 'GeoJson', {}, '-f GeoJSON', 'geojson', False, 0.15),
           ('polygons, CSV with WKT', 'polygons_100k', 'CSV', {}, '-f CSV -lco GEOMETRY=AS_WKT', 'csv', False, 0.15))


class Files:
    def __init__(self, program, data, pairs, work):
        self.data, self.pairs, self.work, self.results = data, pairs, work, []
        self.hosted = Hosted(program, work)
        self.portal, self.layers = self.hosted.portal, {}

    def close(self):
        self.hosted.close()

    def job(self, item_of, path, job_type, **fields):
        """Wall and CPU seconds, children's included, from the call to the end of the job, and the item that the answer names."""
        reset_peak(self.hosted.pid)
        cpu, start = cpu_of(self.hosted.pid), time.monotonic()
        item, job = item_of(self.portal.call(self.portal.content(path), **fields))
        while True:
            status = self.portal.call(self.portal.content(f'items/{item}/status'), jobId=job, jobType=job_type)
            if status['status'] == 'completed':
                break
            if status['status'] == 'failed':
                raise SystemExit(f'bench: {path}: {status}')
            time.sleep(0.02)
        return {'wall': time.monotonic() - start, 'cpu': cpu_of(self.hosted.pid) - cpu, 'peak_kb': peak_kb(self.hosted.pid)}, item

    def report(self, name, asked, ours, peers):
        self.results.append({'name': name, 'asked': asked, 'ours': ours, 'peer': peers})
        for what in ('wall', 'cpu'):
            print(f'{name:32} {what:4} ours {median([o[what] for o in ours]):7.2f} s, ogr2ogr {median([p[what] for p in peers]):7.2f} s, '
                  f'ratio {median([o[what] / p[what] for o, p in zip(ours, peers)]):.2f} (asked: {asked})', flush=True)

    def make(self, name):
        """The file of a format, and what the peer reads (a Shapefile that is not zipped)."""
        _, suffix, options, _, _ = FILES[name]
        folder = os.path.join(self.work, name)
        os.makedirs(folder)
        path = os.path.join(folder, 'points.' + ('shp' if name == 'shapefile' else suffix))
        subprocess.run(f"ogr2ogr {options} '{path}' '{source(self.data, 'points_1m')}' -nln points", shell=True, check=True, stderr=subprocess.DEVNULL)
        return (shutil.make_archive(os.path.join(self.work, 'points'), 'zip', folder) if name == 'shapefile' else path), path

    def publish(self):
        for name, (item_type, suffix, _, reads, asked) in FILES.items():
            packed, read = self.make(name)
            with open(packed, 'rb') as f:
                item = self.portal.call(self.portal.content('addItem'), files=[('file', (f'points.{suffix}', f.read()))], title=name, type=item_type, tags='bench')['id']
            ours, peers, out = [], [], os.path.join(self.work, 'peer.gpkg')
            for k in range(self.pairs):
                parameters = {'name': f'{name}_{k}'}
                if name == 'csv':
                    parameters.update(locationType='coordinates', latitudeFieldName='Y', longitudeFieldName='X', targetSR={'wkid': 4326})
                times, _ = self.job(lambda made: (made['services'][0]['serviceItemId'], made['services'][0]['jobId']), 'publish', 'publish', itemId=item, fileType=name,
                                    publishParameters=parameters)
                ours.append(times)
                peers.append(shell(f"rm -f '{out}' && ogr2ogr -f GPKG '{out}' '{read}' {reads} && sync '{out}'"))
            self.report('publish ' + name, asked, ours, peers)

    def service(self, layer):
        if layer not in self.layers:
            self.hosted.publish(layer, source(self.data, layer))
            self.layers[layer] = next(i['id'] for i in self.portal.call('/sharing/rest/search', q=f'type:"Feature Service" title:"{layer}"')['results'] if i['title'] == layer)
        return self.layers[layer]

    def export(self):
        for name, layer, wanted, parameters, options, suffix, zipped, asked in EXPORTS:
            ours, peers, folder = [], [], os.path.join(self.work, 'exported')
            out = f'{folder}/{layer}.{suffix}'
            peer = f"rm -rf '{folder}' && mkdir '{folder}' && ogr2ogr {options} '{out}' '{source(self.data, layer)}'"
            peer += f" && zip -q -r '{folder}/out.zip' '{folder}' && sync '{folder}/out.zip'" if zipped else f" && sync '{out}'"
            for _ in range(self.pairs):
                times, item = self.job(lambda made: (made['exportItemId'], made['jobId']), 'export', 'export', itemId=self.service(layer), exportFormat=wanted, title='out',
                                       exportParameters={'layers': [{'id': 0, **parameters}]})
                self.portal.call(self.portal.content(f'items/{item}/delete'))
                ours.append(times)
                peers.append(shell(peer))
            self.report('export ' + name, asked, ours, peers)


if __name__ == '__main__':
    run('files', Files, ('publish', 'export'))
