"""The peers of bench/query.py, each as a server of its own on a free port with the best settings that it has: Koop over GeoJSON, and MapServer behind lighttpd by FastCGI,
over GeoPackage with an index on what is asked for and over FlatGeobuf, which it searches faster by box."""
import contextlib
import os
import shutil
import socket
import sqlite3
import subprocess
import time

from measure import ROOT, free_port

KOOP = os.path.join(ROOT, 'bench', 'koop')
KOOP_MOST = 100_000  # features: it holds GeoJSON whole, and cannot a million of them
MAPFILE = '''MAP
 NAME "bench"
 EXTENT -180 -90 180 90
 SIZE 256 256
 PROJECTION "init=epsg:4326" END
 OUTPUTFORMAT NAME "geojson" DRIVER "OGR/GEOJSON" MIMETYPE "application/json; subtype=geojson" FORMATOPTION "STORAGE=stream" FORMATOPTION "FORM=SIMPLE" FORMATOPTION "LCO:RFC7946=NO" END
 WEB METADATA "wfs_title" "bench" "wfs_onlineresource" "http://127.0.0.1:{port}/mapserv?map=BENCH" "wfs_srs" "EPSG:4326" "wfs_enable_request" "*" "wfs_getfeature_formatlist" "geojson" END END
{layers}END
'''
LAYER = ''' LAYER
  NAME "{name}" TYPE {kind} STATUS ON
  {source}
  PROCESSING "CLOSE_CONNECTION=DEFER"
  PROJECTION "init=epsg:4326" END
  METADATA "wfs_title" "{name}" "gml_include_items" "all" "gml_featureid" "{id}" "gml_types" "auto" "wfs_use_default_extent_for_getfeature" "false" END
 END
'''
CONFIG = 'CONFIG\n ENV\n  MS_MAP_NO_PATH "1"\n  MS_MAP_PATTERN "."\n END\n MAPS BENCH "{folder}/bench.map" END\nEND\n'
LIGHTTPD = '''server.document-root = "{folder}"
server.bind = "127.0.0.1"
server.port = {port}
server.errorlog = "{folder}/lighttpd.log"
server.modules = ("mod_fastcgi")
fastcgi.server = ("/mapserv" => (("socket" => "{folder}/socket", "bin-path" => "{mapserv}", "max-procs" => {processes}, "check-local" => "disable",
                                  "bin-environment" => ("MAPSERVER_CONFIG_FILE" => "{folder}/mapserver.conf"))))
'''


def command(*words):
    return subprocess.run(words, check=True, capture_output=True).stdout


@contextlib.contextmanager
def ended(process):
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


@contextlib.contextmanager
def koop(folder, sources):
    """Port and process, None when it is not installed. The features of each source are /file-geojson/rest/services/NAME/FeatureServer/0."""
    if not shutil.which('node') or not os.path.exists(os.path.join(KOOP, 'node_modules')):
        yield None
        return
    os.makedirs(folder)
    for name, source in sources.items():
        command('ogr2ogr', '-f', 'GeoJSON', os.path.join(folder, name + '.geojson'), source)
    port = free_port()
    with ended(subprocess.Popen(['node', '--max-old-space-size=4096', 'server.mjs', str(port), os.path.relpath(folder, KOOP)], cwd=KOOP, stdout=subprocess.PIPE,
                                env=dict(os.environ, SUPPRESS_NO_CONFIG_WARNING='1'))) as process:
        process.stdout.readline()
        yield port, process


def mapserver_layers(folder, sources, indexed):
    """Copies of the files as it reads them best, and what the mapfile says of them: NAME is the GeoPackage, NAME_boxes the FlatGeobuf."""
    for name, source in sources.items():
        copy, boxes = os.path.join(folder, name + '.gpkg'), os.path.join(folder, name + '.fgb')
        shutil.copyfile(source, copy)
        with contextlib.closing(sqlite3.connect(copy)) as db:
            table, kind = db.execute('SELECT table_name, geometry_type_name FROM gpkg_geometry_columns').fetchone()
            db.execute(f'CREATE INDEX by_{indexed} ON {table}({indexed})')
            db.execute('ANALYZE')
            db.commit()
        command('ogr2ogr', '-f', 'FlatGeobuf', boxes, copy)
        kind = 'POINT' if kind == 'POINT' else 'POLYGON'
        yield LAYER.format(name=name, kind=kind, source=f'CONNECTIONTYPE OGR CONNECTION "{copy}" DATA "{table}"', id='fid')
        yield LAYER.format(name=name + '_boxes', kind=kind, source=f'CONNECTIONTYPE FLATGEOBUF DATA "{boxes}"', id='code')


@contextlib.contextmanager
def mapserver(folder, sources, indexed):
    """Port and process of lighttpd, whose children answer; None when one of them is not installed. Requests are for /mapserv?map=BENCH&…"""
    program, web = shutil.which('mapserv'), shutil.which('lighttpd') or shutil.which('lighttpd', path='/usr/sbin')
    if not program or not web:
        yield None
        return
    os.makedirs(folder)
    port = free_port()
    texts = {'bench.map': MAPFILE.format(port=port, layers=''.join(mapserver_layers(folder, sources, indexed))), 'mapserver.conf': CONFIG.format(folder=folder),
             'lighttpd.conf': LIGHTTPD.format(folder=folder, port=port, mapserv=program, processes=os.cpu_count())}
    for name, text in texts.items():
        with open(os.path.join(folder, name), 'w', encoding='utf-8') as f:
            f.write(text)
    with ended(subprocess.Popen([web, '-D', '-f', os.path.join(folder, 'lighttpd.conf')], stdout=subprocess.DEVNULL)) as process:
        while process.poll() is None:
            with contextlib.suppress(OSError):
                socket.create_connection(('127.0.0.1', port)).close()
                break
            time.sleep(0.05)
        yield port, process
