"""Run by the system's own Python, which has QGIS: reads layers of a service as a planner's QGIS does, prints JSON.

QT_QPA_PLATFORM=offscreen /usr/bin/python3 tests/qgis_reader.py ADDRESS-OF-OGC FILE… < names of collections, a line each
A FILE that begins with `type=xyz` is a layer of image tiles, which is drawn.
"""

import json
import sys

from qgis.core import (
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsFeatureRequest,
    QgsMapRendererSequentialJob,
    QgsMapSettings,
    QgsRasterLayer,
    QgsRectangle,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QSize

PROVINCE = QgsRectangle(12022500, 1323000, 12049300, 1350500)  # Web Mercator metres


def read(layer: QgsVectorLayer, request: QgsFeatureRequest) -> dict:
    features = list(layer.getFeatures(request))
    names = [field.name() for field in layer.fields()]
    named = "village_name" in names
    box = layer.extent()
    return {
        "valid": layer.isValid(),
        "count": len(features),
        "crs": layer.crs().authid(),
        "names": sorted(str(one["village_name"]) for one in features) if named else [],
        "fields": names,
        "box": [box.xMinimum(), box.yMinimum(), box.xMaximum(), box.yMaximum()],
    }


def draw(source: str) -> dict:
    """How many pixels of which colour a map of the province has that shows image tiles."""
    layer = QgsRasterLayer(source, "tiles", "wms")
    settings = QgsMapSettings()
    settings.setLayers([layer])
    settings.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:3857"))
    settings.setExtent(PROVINCE)
    settings.setOutputSize(QSize(500, 500))
    job = QgsMapRendererSequentialJob(settings)
    job.start()
    job.waitForFinished()
    image = job.renderedImage()
    colours = {}
    for y in range(image.height()):
        for x in range(image.width()):
            name = image.pixelColor(x, y).name()
            colours[name] = colours.get(name, 0) + 1
    faults = [fault.message for fault in job.errors()]
    return {"valid": layer.isValid(), "crs": layer.crs().authid(), "colours": colours, "faults": faults}


def read_all(address: str, names: list, files: list) -> dict:
    found = {}
    for name in names:
        source = f"url='{address}' typename='{name}' restrictToRequestBBOX='1'"
        layer = QgsVectorLayer(source, name, "OAPIF")
        everything = read(layer, QgsFeatureRequest())
        near = (
            QgsFeatureRequest()
            .setFilterRect(QgsRectangle(108.02, 11.81, 108.1, 11.9))
            .setFlags(QgsFeatureRequest.ExactIntersect)
        )
        own = QgsFeatureRequest().setFilterExpression("\"operator\" = '45204'")
        found[name] = everything | {"near": read(layer, near)["count"]}
        if "operator" in everything["fields"]:
            found[name]["own"] = read(layer, own)["count"]
    for file in files:
        if file.startswith("type=xyz"):
            found["tiles"] = draw(file)
            continue
        found[file] = read(QgsVectorLayer(file, "file", "ogr"), QgsFeatureRequest())
    return found


def main() -> None:
    application = QgsApplication([], False)
    application.initQgis()
    address, *files = sys.argv[1:]
    # In a function of its own: QGIS falls over layers that outlive it.
    found = read_all(address, sys.stdin.read().split(), files)
    print(json.dumps(found))
    application.exitQgis()


main()
