"""What the tests of publishing share: a person who publishes, and files as people have them."""
import io
import json
import os
import shutil
import subprocess
import tempfile
import uuid
import zipfile

import moving
from moving import poll

SAMPLES = os.path.join(moving.ROOT, 'samples')
TYPES = {'csv': ('CSV', 'csv'), 'excel': ('Microsoft Excel', 'xlsx'), 'shapefile': ('Shapefile', 'zip'), 'geojson': ('GeoJson', 'geojson'),
         'geoPackage': ('GeoPackage', 'gpkg'), 'fileGeodatabase': ('File Geodatabase', 'zip'), 'kml': ('KML', 'kml'), 'gpx': ('GPX', 'gpx'), 'featureCollection': ('Feature Collection', 'json')}


def status_of(person, made):
    """The status that a publish job ends with."""
    def ask():
        status = person.call(person.content(f"items/{made['serviceItemId']}/status"), jobId=made['jobId'], jobType='publish')
        return status if status['status'] != 'processing' else None
    return poll(ask, 300)


def add_file(person, file_type, data, name=None):
    item_type, extension = TYPES[file_type]
    return person.add(item_type, 'A file', file=(name or f'{uuid.uuid4().hex[:12]}.{extension}', data))


def publish_item(person, item, file_type, parameters=None, **fields):
    """The answer of publish and the job's last status."""
    parameters = dict({'name': 'p' + uuid.uuid4().hex[:12]}, **(parameters or {}))
    made = person.call(person.content('publish'), itemId=item, fileType=file_type, publishParameters=json.dumps(parameters), **fields)['services'][0]
    return made, status_of(person, made)


def published(person, file_type, data, parameters=None, **fields):
    """Path of the service that a file becomes."""
    made, status = publish_item(person, add_file(person, file_type, data), file_type, parameters, **fields)
    assert status['status'] == 'completed', status
    return moving.path_of(made['serviceurl'])


def refused(person, file_type, data, parameters=None):
    """The message of a publish job that fails; nothing is left of it."""
    made, status = publish_item(person, add_file(person, file_type, data), file_type, parameters)
    assert status['status'] == 'failed', status
    assert not person.has(made['serviceItemId']), made
    return status['statusMessage']


def archive(files):
    """A zip archive of {name: bytes}."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w', zipfile.ZIP_DEFLATED) as z:
        for name, data in files.items():
            z.writestr(name, data)
    return out.getvalue()


def ogr2ogr(driver, source, layer, suffix, *options):
    """What ogr2ogr makes of a layer, zipped when that is more than one file; bytes."""
    folder = tempfile.mkdtemp(prefix='mapferry-ogr-')
    try:
        path = os.path.join(folder, 'made.' + suffix)
        subprocess.run(['ogr2ogr', '-f', driver, path, source, *([layer] if layer else []), '-nln', 'made', *options], check=True, capture_output=True)
        if driver not in ('ESRI Shapefile', 'OpenFileGDB'):
            with open(path, 'rb') as f:
                return f.read()
        files = {}
        for root, _, names in os.walk(folder):
            for name in names:
                with open(os.path.join(root, name), 'rb') as f:
                    files[os.path.relpath(os.path.join(root, name), folder)] = f.read()
        return archive(files)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
