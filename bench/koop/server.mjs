// Koop with its best settings for one file: node server.mjs PORT FOLDER. The file FOLDER/points.geojson is the service /file-geojson/rest/services/points.
import Koop from "@koopjs/koop-core";
import output from "@koopjs/output-geoservices";
import provider from "@koopjs/provider-file-geojson";

const [port, dataDir] = process.argv.slice(2);
const koop = new Koop({ logLevel: "error" });
koop.register(output);
koop.register(provider, { dataDir, ttl: 3600, cacheTtl: 3600 });
koop.server.listen(Number(port), "127.0.0.1", () => console.log("listening"));
