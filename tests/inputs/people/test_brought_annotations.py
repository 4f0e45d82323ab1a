"""What annotation tools write, by their documented schemas, beside the pictures."""

import json
from xml.sax.saxutils import quoteattr

import numpy as np
import pytest
from bring import ANY, Table, draw, palette, plain, white

from lesion.inputs import read_image

tools = Table()
TEN = range(10)
HEIGHT, WIDTH = SIZE = (96, 128)
EDGE = 0.12  # half a pixel along the edge of these lesions is 5 to 8 % of them


def ellipse(k):
    """Return the outline of the lesion of `draw(k, SIZE)` as [[x, y], ...]."""
    radius = min(SIZE) * (0.16 + 0.02 * (k % 4))
    centre = WIDTH * (0.3 + 0.05 * (k % 7)), HEIGHT * (0.35 + 0.05 * (k % 5))
    angles = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    x = centre[0] + radius * np.cos(angles)
    y = centre[1] + radius / np.sqrt(1.3) * np.sin(angles)
    return np.stack([x, y], axis=1).round(2).tolist()


def corner(size=12):
    """Return a second region in the lower right corner: (outline, mask)."""
    right, low = WIDTH - 4, HEIGHT - 4
    outline = [[right - size, low - size], [right, low - size], [right, low], [right - size, low]]
    mask = np.zeros(SIZE, np.uint8)
    mask[low - size : low, right - size : right] = 1
    return outline, mask


def picture(folder, k, path, **options):
    """Write a picture, record that the lesion drawn in it is its truth; return the truth."""
    drawn, mask = draw(k, SIZE)
    folder.picture(k, path, drawn=drawn, **options)
    folder.truth[path] = mask
    folder.tolerance = EDGE
    return mask


# --- labelme --------------------------------------------------------------------------------------


def labelme(folder, k, path, shapes, image_path, size=SIZE):
    content = {
        "version": "5.5.0",
        "flags": {},
        "shapes": [
            {"label": label, "points": points, "group_id": None, "shape_type": kind, "flags": {}}
            for label, kind, points in shapes
        ],
        "imagePath": image_path,
        "imageData": None,
        "imageHeight": size[0],
        "imageWidth": size[1],
    }
    folder.file(path, json.dumps(content, indent=2))


def labelme_folder(folder, shapes, picture_path="mole_{}.jpg", path="mole_{}.json", ks=TEN):
    for k in ks:
        picture(folder, k, picture_path.format(k))
        image_path = picture_path.format(k)
        if "/" in path:
            image_path = "../" + image_path
        labelme(folder, k, path.format(k), shapes(k), image_path)


def one_lesion(k):
    return [("lesion", "polygon", ellipse(k))]


def with_hair(k):
    return [*one_lesion(k), ("hair", "polygon", corner()[0])]


@tools(says="labelme")
def labelme_beside_the_pictures(folder):
    labelme_folder(folder, one_lesion)


@tools()
def labelme_in_a_folder_of_its_own(folder):
    labelme_folder(folder, one_lesion, "images/mole_{}.jpg", "annotations/mole_{}.json")


@tools()
def labelme_that_names_another_computers_path(folder):
    for k in TEN:
        picture(folder, k, f"mole_{k}.jpg")
        labelme(folder, k, f"mole_{k}.json", one_lesion(k), f"C:\\Users\\me\\mole_{k}.jpg")


@tools()
def labelme_of_a_picture_without_a_lesion(folder):
    labelme_folder(folder, lambda k: one_lesion(k) if k != 3 else [])
    folder.truth["mole_3.jpg"] = np.zeros(SIZE, np.uint8)


@tools()
def labelme_of_two_lesions(folder):
    labelme_folder(folder, lambda k: [*one_lesion(k), ("lesion", "polygon", corner()[0])])
    for path in list(folder.truth):
        folder.truth[path] = folder.truth[path] | corner()[1]


@tools("either", says="rectangle")
def labelme_of_rectangles(folder):
    def shapes(k):
        return [("lesion", "rectangle", corner()[0][::2])]

    labelme_folder(folder, shapes)
    for path in list(folder.truth):
        folder.truth[path] = corner()[1]


@tools("either", says=("hair", "lesion"), always=True)
def labelme_of_two_classes(folder):
    labelme_folder(folder, with_hair)
    for path in list(folder.truth):
        folder.truth[path] = ANY


@tools(options="--lesion-class lesion")
def labelme_of_two_classes_one_chosen(folder):
    labelme_folder(folder, with_hair)


@tools("named", says="nevus", options="--lesion-class nevus")
def labelme_without_the_chosen_class(folder):
    labelme_folder(folder, with_hair)


@tools("either", says=r"mole_3", always=True)
def labelme_of_all_pictures_but_one(folder):
    labelme_folder(folder, one_lesion)
    (folder.root / "mole_3.json").unlink()
    folder.truth["mole_3.jpg"] = None


@tools("named", says=r"mole_3\.json")
def labelme_that_is_broken(folder):
    labelme_folder(folder, one_lesion)
    folder.file("mole_3.json", '{"version": "5.5.0", "shapes": [')


@tools("either", says=r"mole_3")
def labelme_of_a_larger_picture(folder):
    """The picture was made smaller afterwards."""
    labelme_folder(folder, one_lesion)
    double = [[2 * x, 2 * y] for x, y in ellipse(3)]
    labelme(folder, 3, "mole_3.json", [("lesion", "polygon", double)], "mole_3.jpg", (192, 256))


@tools("either", says=r"point|line|mole_")
def labelme_of_points_and_lines(folder):
    labelme_folder(folder, lambda k: [("lesion", "point", [[20, 20]])])


@tools("either", says=r"json", always=True)
def labelme_and_masks(folder):
    for k in TEN:
        mask = picture(folder, k, f"images/mole_{k}.jpg")
        labelme(folder, k, f"images/mole_{k}.json", [("lesion", "polygon", corner()[0])], "x.jpg")
        folder.file(f"masks/mole_{k}.png", white(mask))


@tools("either", says=r"settings\.json|json")
def json_of_something_else(folder):
    for k in TEN:
        mask = picture(folder, k, f"image/m{k}.jpg")
        folder.file(f"label/m{k}.png", white(mask))
        folder.file(f"image/m{k}.json", '{"exposure": 0.1}')
    folder.file("settings.json", "[]")


# --- COCO -----------------------------------------------------------------------------------------


def coco(ks, name="m{}.jpg", segmentation=None, categories=("lesion",), category=1, skip=()):
    """Return a COCO file; picture k has the id 3 k + 100, in reverse order."""
    segmentation = segmentation or (lambda k: [np.ravel(ellipse(k)).tolist()])
    images = [
        {"id": 3 * k + 100, "file_name": name.format(k), "height": HEIGHT, "width": WIDTH}
        for k in reversed(ks)
    ]
    annotations = [
        {
            "id": k + 1,
            "image_id": 3 * k + 100,
            "category_id": category,
            "segmentation": segmentation(k),
            "area": int(draw(k, SIZE)[1].sum()),
            "bbox": [*np.min(ellipse(k), axis=0), *np.ptp(ellipse(k), axis=0)],
            "iscrowd": int(isinstance(segmentation(k), dict)),
        }
        for k in ks
        if k not in skip
    ]
    names = [
        {"id": number, "name": name, "supercategory": ""}
        for number, name in enumerate(categories, 1)
    ]
    content = {"images": images, "annotations": annotations, "categories": names}
    return json.dumps({"info": {}, "licenses": []} | content)


def run_lengths(mask):
    """Return uncompressed COCO run lengths: down the columns, background first."""
    flat = np.concatenate([[0], mask.ravel(order="F"), [1 - mask[-1, -1]]])
    changes = np.flatnonzero(np.diff(flat))
    return np.diff(np.concatenate([[0], changes])).tolist()


@tools(says="coco")
def coco_as_cvat_exports_it(folder):
    for k in TEN:
        picture(folder, k, f"images/m{k}.jpg")
    folder.file("annotations/instances_default.json", coco(TEN))


@tools()
def coco_beside_the_pictures(folder):
    for k in TEN:
        picture(folder, k, f"m{k}.jpg")
    folder.file("annotations.json", coco(TEN))


@tools()
def coco_of_roboflow(folder):
    for part, word, ks in (
        ("train", "train", range(6)),
        ("validation", "valid", (6, 7)),
        ("test", "test", (8, 9)),
    ):
        for k in ks:
            picture(folder, k, f"{word}/m{k}.jpg", part=part)
        categories = ("moles", "lesion")  # the first is the name of the project
        folder.file(f"{word}/_annotations.coco.json", coco(ks, categories=categories, category=2))


@tools("either", says=r"2017|json")
def coco_with_instances_of_parts(folder):
    for part, word, ks in (("train", "train", range(7)), ("validation", "val", (7, 8, 9))):
        for k in ks:
            picture(folder, k, f"{word}2017/m{k}.jpg", part=part)
        folder.file(f"annotations/instances_{word}2017.json", coco(ks))


@tools()
def coco_of_run_lengths(folder):
    for k in TEN:
        picture(folder, k, f"images/m{k}.jpg")

    def segmentation(k):
        return {"size": list(SIZE), "counts": run_lengths(draw(k, SIZE)[1])}

    folder.file("annotations/instances.json", coco(TEN, segmentation=segmentation))
    folder.tolerance = 0


@tools()
def coco_of_compressed_run_lengths(folder):
    mask_tools = pytest.importorskip("pycocotools.mask")
    for k in TEN:
        picture(folder, k, f"images/m{k}.jpg")

    def segmentation(k):
        encoded = mask_tools.encode(np.asfortranarray(draw(k, SIZE)[1]))
        return {"size": list(SIZE), "counts": encoded["counts"].decode()}

    folder.file("annotations/instances.json", coco(TEN, segmentation=segmentation))
    folder.tolerance = 0


@tools("named", says=r"box|segmentation|polygon")
def coco_of_boxes_only(folder):
    for k in TEN:
        picture(folder, k, f"images/m{k}.jpg")
    folder.file("annotations/instances.json", coco(TEN, segmentation=lambda k: []))


@tools()
def coco_of_a_picture_without_a_lesion(folder):
    for k in TEN:
        picture(folder, k, f"images/m{k}.jpg")
    folder.file("annotations/instances.json", coco(TEN, skip=(3,)))
    folder.truth["images/m3.jpg"] = np.zeros(SIZE, np.uint8)


@tools("either", says=r"m3\.jpg", always=True)
def coco_that_does_not_know_a_picture(folder):
    for k in TEN:
        picture(folder, k, f"images/m{k}.jpg")
    folder.file("annotations/instances.json", coco([k for k in TEN if k != 3]))
    folder.truth["images/m3.jpg"] = None


@tools("either", says=r"m3\.jpg", always=True)
def coco_of_a_picture_that_is_not_there(folder):
    for k in TEN:
        picture(folder, k, f"images/m{k}.jpg")
    (folder.root / "images/m3.jpg").unlink()
    del folder.truth["images/m3.jpg"]
    folder.file("annotations/instances.json", coco(TEN))


@tools()
def coco_with_folders_in_its_names(folder):
    for k in TEN:
        picture(folder, k, f"images/m{k}.jpg")
    folder.file("annotations/instances.json", coco(TEN, "images/m{}.jpg"))


def coco_of_two(folder):
    for k in TEN:
        picture(folder, k, f"images/m{k}.jpg")
    content = json.loads(coco(TEN, categories=("lesion", "ruler")))
    for k in TEN:
        content["annotations"].append(
            content["annotations"][0]
            | {
                "id": 50 + k,
                "image_id": 3 * k + 100,
                "category_id": 2,
                "segmentation": [np.ravel(corner()[0]).tolist()],
            }
        )
    folder.file("annotations/instances.json", json.dumps(content))


@tools("either", says=("ruler", "lesion"), always=True)
def coco_of_two_classes(folder):
    coco_of_two(folder)
    for path in list(folder.truth):
        folder.truth[path] = ANY


@tools(options="--lesion-class lesion")
def coco_of_two_classes_one_chosen(folder):
    coco_of_two(folder)


@tools(options="--lesion-class ruler")
def coco_of_two_classes_the_other_chosen(folder):
    coco_of_two(folder)
    for path in list(folder.truth):
        folder.truth[path] = corner()[1]


# --- CVAT -----------------------------------------------------------------------------------------


def cvat(ks, shape, name="m{}.jpg"):
    images = "".join(
        f"<image id={quoteattr(str(k))} name={quoteattr(name.format(k))} "
        f'width="{WIDTH}" height="{HEIGHT}">{shape(k)}</image>'
        for k in ks
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?><annotations><version>1.1</version>'
        f"<meta></meta>{images}</annotations>"
    )


def cvat_polygon(k, outline=None, label="lesion"):
    points = ";".join(f"{x:.2f},{y:.2f}" for x, y in outline or ellipse(k))
    return (
        f'<polygon label="{label}" source="manual" occluded="0" points="{points}" z_order="0">'
        "</polygon>"
    )


@tools(says="cvat")
def cvat_for_images(folder):
    for k in TEN:
        picture(folder, k, f"images/m{k}.jpg")
    folder.file("annotations.xml", cvat(TEN, cvat_polygon))


@tools()
def cvat_brush(folder):
    """A mask element: run lengths along the rows of its box."""
    for k in TEN:
        picture(folder, k, f"images/m{k}.jpg")

    def mask_element(k):
        mask = draw(k, SIZE)[1]
        rows, columns = np.nonzero(mask)
        top, left = rows.min(), columns.min()
        box = mask[top : rows.max() + 1, left : columns.max() + 1]
        flat = np.concatenate([[0], box.ravel(), [1 - box[-1, -1]]])
        changes = np.flatnonzero(np.diff(flat))
        lengths = ", ".join(map(str, np.diff(np.concatenate([[0], changes]))))
        return (
            f'<mask label="lesion" source="manual" occluded="0" rle="{lengths}" left="{left}" '
            f'top="{top}" width="{box.shape[1]}" height="{box.shape[0]}" z_order="0"></mask>'
        )

    folder.file("annotations.xml", cvat(TEN, mask_element))
    folder.tolerance = 0


@tools("named", says=r"box|polygon|annotations\.xml")
def cvat_boxes(folder):
    for k in TEN:
        picture(folder, k, f"images/m{k}.jpg")
    box = '<box label="lesion" occluded="0" xtl="20" ytl="20" xbr="60" ybr="60"></box>'
    folder.file("annotations.xml", cvat(TEN, lambda k: box))


@tools(options="--lesion-class lesion")
def cvat_of_two_classes_one_chosen(folder):
    for k in TEN:
        picture(folder, k, f"images/m{k}.jpg")
    folder.file(
        "annotations.xml",
        cvat(TEN, lambda k: cvat_polygon(k) + cvat_polygon(k, corner()[0], "gel")),
    )


LABELMAP = "# label:color_rgb:parts:actions\nbackground:0,0,0::\n"


def cvat_masks(folder, save, labels):
    for k in TEN:
        mask = picture(folder, k, f"JPEGImages/m{k}.jpg")
        folder.file(f"SegmentationClass/m{k}.png", save(mask))
        folder.file(f"SegmentationObject/m{k}.png", save(mask))
        folder.tolerance = 0
    names = "".join(f"m{k}\n" for k in TEN)
    folder.file("ImageSets/Segmentation/default.txt", names)
    folder.file("labelmap.txt", LABELMAP + labels)


def red_with_a_green_corner(mask):
    colours = np.zeros((*SIZE, 3), np.uint8)
    colours[mask == 1] = (250, 50, 83)
    colours[corner()[1] == 1] = (51, 221, 255)
    return colours


@tools()
def cvat_masks_of_one_class(folder):
    cvat_masks(folder, palette((250, 50, 83)), "lesion:250,50,83::\n")


@tools("named", says=("lesion", "gel"))
def cvat_masks_of_two_classes(folder):
    cvat_masks(folder, red_with_a_green_corner, "lesion:250,50,83::\ngel:51,221,255::\n")


@tools(options="--lesion-class lesion")
def cvat_masks_of_two_classes_one_chosen(folder):
    cvat_masks(folder, red_with_a_green_corner, "lesion:250,50,83::\ngel:51,221,255::\n")


# --- Label Studio ---------------------------------------------------------------------------------


def label_studio(ks, results, image="/data/upload/1/{0:08x}-m{0}.jpg", **more):
    tasks = [
        {
            "id": k + 3,
            "data": {"image": image.format(k)},
            "file_upload": image.format(k).rpartition("/")[2],
            "annotations": [
                {"id": k + 30, "result": results(k), "was_cancelled": False, "completed_by": 1}
                | more
            ],
        }
        for k in ks
    ]
    return json.dumps(tasks)


def in_percent(k, outline=None, label="lesion"):
    points = [[100 * x / WIDTH, 100 * y / HEIGHT] for x, y in outline or ellipse(k)]
    return {
        "id": f"r{k}",
        "type": "polygonlabels",
        "from_name": "label",
        "to_name": "image",
        "original_width": WIDTH,
        "original_height": HEIGHT,
        "image_rotation": 0,
        "value": {"points": points, "closed": True, "polygonlabels": [label]},
    }


@tools(says="label studio")
def label_studio_polygons(folder):
    for k in TEN:
        picture(folder, k, f"images/m{k}.jpg")
    folder.file("project-1.json", label_studio(TEN, lambda k: [in_percent(k)]))


@tools()
def label_studio_polygons_of_uploaded_names(folder):
    for k in TEN:
        picture(folder, k, f"images/{k:08x}-m{k}.jpg")
    folder.file("project-1.json", label_studio(TEN, lambda k: [in_percent(k)]))


@tools(options="--lesion-class lesion")
def label_studio_of_two_classes_one_chosen(folder):
    for k in TEN:
        picture(folder, k, f"images/m{k}.jpg")
    folder.file(
        "project-1.json",
        label_studio(TEN, lambda k: [in_percent(k), in_percent(k, corner()[0], "vein")]),
    )


def brush_lengths(mask):
    """Return Label Studio's run lengths: bits of red, green, blue and opacity, in bytes.

    The number of values in 32 bits; 5 bits: bits of a value less 1; four times 4 bits: the widths
    of a length less 1; then runs: a bit that says the values are one, 2 bits: which width, the
    length less 1, the value.
    """
    flat = np.repeat(white(mask).ravel(), 4)
    starts = np.flatnonzero(np.diff(flat, prepend=256 - int(flat[0])))
    bits = f"{flat.size:032b}{7:05b}" + "".join(f"{width - 1:04b}" for width in (3, 4, 8, 16))
    for start, end in zip(starts, [*starts[1:], flat.size], strict=True):
        bits += f"1{3:02b}{end - start - 1:016b}{flat[start]:08b}"
    bits += "0" * (-len(bits) % 8)
    return [int(bits[place : place + 8], 2) for place in range(0, len(bits), 8)]


def stroke(k):
    value = {"format": "rle", "rle": brush_lengths(draw(k, SIZE)[1]), "brushlabels": ["lesion"]}
    return [in_percent(k) | {"type": "brushlabels", "value": value}]


@tools()
def label_studio_brush(folder):
    for k in TEN:
        picture(folder, k, f"images/m{k}.jpg")
    folder.file("project-1.json", label_studio(TEN, stroke))
    folder.tolerance = 0


@tools("either", says=r"task-\d")
def label_studio_brush_as_png_beside_its_json(folder):
    """The PNGs are named after tasks; the export as JSON says which picture each task is."""
    for k in TEN:
        mask = picture(folder, k, f"images/m{k}.jpg")
        folder.file(f"masks/task-{k + 3}-annotation-{k + 30}-by-1-tag-lesion-0.png", white(mask))
    folder.file("project-1.json", label_studio(TEN, stroke))
    folder.tolerance = 0


@tools("either", says=r"project-1|cancel|skip")
def label_studio_that_was_cancelled(folder):
    for k in TEN:
        picture(folder, k, f"images/m{k}.jpg")
        folder.truth[f"images/m{k}.jpg"] = None
    folder.file("project-1.json", label_studio(TEN, lambda k: [in_percent(k)], was_cancelled=True))


@tools("either", says=r"rectangle|box|polygon")
def label_studio_rectangles(folder):
    for k in TEN:
        picture(folder, k, f"images/m{k}.jpg")
        folder.truth[f"images/m{k}.jpg"] = ANY
    box = {"x": 10, "y": 10, "width": 20, "height": 20, "rotation": 0}
    value = box | {"rectanglelabels": ["lesion"]}
    folder.file(
        "project-1.json",
        label_studio(TEN, lambda k: [in_percent(k) | {"type": "rectanglelabels", "value": value}]),
    )


# --- VGG Image Annotator --------------------------------------------------------------------------


def via(ks, name="m{}.jpg"):
    return {
        f"{name.format(k)}1234": {
            "filename": name.format(k),
            "size": 1234,
            "regions": [
                {
                    "shape_attributes": {
                        "name": "polygon",
                        "all_points_x": [x for x, _ in ellipse(k)],
                        "all_points_y": [y for _, y in ellipse(k)],
                    },
                    "region_attributes": {"type": "lesion"},
                }
            ],
            "file_attributes": {},
        }
        for k in ks
    }


@tools(says="via|vgg")
def via_annotations(folder):
    for k in TEN:
        picture(folder, k, f"images/m{k}.jpg")
    folder.file("via_region_data.json", json.dumps(via(TEN)))


@tools()
def via_project(folder):
    for k in TEN:
        picture(folder, k, f"m{k}.jpg")
    project = {
        "_via_settings": {"project": {"name": "moles"}},
        "_via_img_metadata": via(TEN),
        "_via_attributes": {"region": {}, "file": {}},
        "_via_data_format_version": "2.0.10",
        "_via_image_id_list": list(via(TEN)),
    }
    folder.file("via_project.json", json.dumps(project))


@tools("either", says=r"via.*csv")
def via_as_csv(folder):
    lines = ["filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,"
             "region_attributes"]  # fmt: skip
    for k in TEN:
        picture(folder, k, f"images/m{k}.jpg")
        (entry,) = via([k]).values()
        shape, attributes = (
            json.dumps(entry["regions"][0][key]).replace('"', '""')
            for key in ("shape_attributes", "region_attributes")
        )
        lines.append(f'm{k}.jpg,1234,"{{}}",1,0,"{shape}","{attributes}"')
    folder.file("via_export_csv.csv", "\n".join(lines))


# --- YOLO -----------------------------------------------------------------------------------------


def yolo_line(outline, number=0):
    shares = [f"{value:.6f}" for x, y in outline for value in (x / WIDTH, y / HEIGHT)]
    return " ".join([str(number), *shares]) + "\n"


DATA_YAML = "train: images/train\nval: images/val\nnames:\n  0: lesion\n  1: hair\n"


@tools(says="yolo")
def yolo_segments(folder):
    for part, word, ks in (("train", "train", range(8)), ("validation", "val", (8, 9))):
        for k in ks:
            picture(folder, k, f"images/{word}/m{k}.jpg", part=part)
            folder.file(f"labels/{word}/m{k}.txt", yolo_line(ellipse(k)))
    folder.file("data.yaml", DATA_YAML.replace("  1: hair\n", ""))


@tools()
def yolo_segments_of_roboflow(folder):
    for part, word, ks in (("train", "train", range(8)), ("validation", "valid", (8, 9))):
        for k in ks:
            picture(folder, k, f"{word}/images/m{k}_jpg.rf.{k:032x}.jpg", part=part)
            folder.file(f"{word}/labels/m{k}_jpg.rf.{k:032x}.txt", yolo_line(ellipse(k)))
    folder.file(
        "data.yaml", "train: ../train/images\nval: ../valid/images\nnc: 1\nnames: ['mole']\n"
    )


@tools(options="--lesion-class lesion")
def yolo_of_two_classes_one_chosen(folder):
    for k in TEN:
        picture(folder, k, f"images/m{k}.jpg")
        folder.file(f"labels/m{k}.txt", yolo_line(ellipse(k)) + yolo_line(corner()[0], 1))
    folder.file("data.yaml", DATA_YAML)


@tools()
def yolo_of_a_picture_without_a_lesion(folder):
    for k in TEN:
        picture(folder, k, f"images/m{k}.jpg")
        folder.file(f"labels/m{k}.txt", yolo_line(ellipse(k)) if k != 3 else "")
    folder.file("data.yaml", DATA_YAML)
    folder.truth["images/m3.jpg"] = np.zeros(SIZE, np.uint8)


@tools("named", says=r"box|detection|txt")
def yolo_boxes(folder):
    for k in TEN:
        picture(folder, k, f"images/m{k}.jpg")
        folder.file(f"labels/m{k}.txt", "0 0.5 0.5 0.2 0.2\n")
    folder.file("data.yaml", DATA_YAML)


@tools("named", says=r"m3\.txt")
def yolo_with_a_line_that_is_cut_off(folder):
    for k in TEN:
        picture(folder, k, f"images/m{k}.jpg")
        words = yolo_line(ellipse(k)).split()
        folder.file(f"labels/m{k}.txt", " ".join(words if k != 3 else words[:-1]))
    folder.file("data.yaml", DATA_YAML)


# --- ImageJ ---------------------------------------------------------------------------------------


@tools(says="imagej|roi")
def imagej_rois(folder):
    roifile = pytest.importorskip("roifile")
    for k in TEN:
        picture(folder, k, f"images/m{k}.jpg")
        roi = roifile.ImagejRoi.frompoints(np.float32(ellipse(k)))
        roi.name = "lesion"
        folder.file(f"images/m{k}.roi", roi.tobytes())


@tools("either", says=r"RoiSet")
def imagej_sets_of_rois(folder):
    import io
    import zipfile

    roifile = pytest.importorskip("roifile")
    for k in TEN:
        mask = picture(folder, k, f"m{k}.jpg")
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for outline in (ellipse(k), corner()[0]):
                roi = roifile.ImagejRoi.frompoints(np.float32(outline))
                x, y = np.mean(outline, axis=0)
                roi.name = f"{y:04.0f}-{x:04.0f}"  # as ImageJ names what nobody has named
                archive.writestr(f"{roi.name}.roi", roi.tobytes())
        folder.file(f"m{k}_RoiSet.zip", buffer.getvalue())
        folder.truth[f"m{k}.jpg"] = mask | corner()[1]


# --- further neighbours ---------------------------------------------------------------------------


@tools("either", says=r"mask|mole_")
def labelme_masks_of_its_assistant(folder):
    """Shapes of the kind "mask": a PNG in base64 within a box, as labelme's AI tool writes."""
    from base64 import b64encode

    from bring import encoded

    for k in TEN:
        mask = picture(folder, k, f"mole_{k}.jpg")
        rows, columns = np.nonzero(mask)
        top, left, low, right = rows.min(), columns.min(), rows.max(), columns.max()
        box = encoded(white(mask)[top : low + 1, left : right + 1])
        shape = {
            "label": "lesion",
            "points": [[int(left), int(top)], [int(right), int(low)]],
            "group_id": None,
            "shape_type": "mask",
            "flags": {},
            "mask": b64encode(box).decode(),
        }
        labelme(folder, k, f"mole_{k}.json", [], f"mole_{k}.jpg")
        path = folder.root / f"mole_{k}.json"
        content = json.loads(path.read_text()) | {"shapes": [shape]}
        path.write_text(json.dumps(content))


@tools("either", says=r"circle|mole_")
def labelme_of_circles(folder):
    """A circle is given by its centre and one point on it."""
    labelme_folder(folder, lambda k: [("lesion", "circle", [[60, 50], [60, 70]])])
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    circle = ((x - 60) ** 2 + (y - 50) ** 2 < 400).astype(np.uint8)
    for path in list(folder.truth):
        folder.truth[path] = circle


@tools("either", says=r"json|mask", always=True)
def coco_and_masks_that_disagree(folder):
    for k in TEN:
        picture(folder, k, f"images/m{k}.jpg")
        folder.file(f"masks/m{k}.png", white(corner()[1]))
        folder.truth[f"images/m{k}.jpg"] = ANY
    folder.file("annotations/instances.json", coco(TEN))


@tools()
def coco_of_same_names_in_each_part(folder):
    for part, word, ks in (("train", "train", range(6)), ("test", "test", range(6, 10))):
        for number, k in enumerate(ks):
            picture(folder, k, f"{word}/{number}.jpg", part=part)
        content = json.loads(coco(ks))
        for image in content["images"]:
            image["file_name"] = f"{ks.index((image['id'] - 100) // 3)}.jpg"
        folder.file(f"{word}/_annotations.coco.json", json.dumps(content))


@tools("either", says=r"images/|m0\.jpg|several|json")
def coco_of_names_that_two_folders_share(folder):
    """File names without folders, in a data set with class folders."""
    for k in TEN:
        picture(folder, k, f"images/{'nevus' if k % 2 else 'melanoma'}/{k // 2}.jpg")
    content = json.loads(coco(TEN))
    for image in content["images"]:
        image["file_name"] = f"{(image['id'] - 100) // 6}.jpg"
    folder.file("annotations/instances.json", json.dumps(content))


@tools("either", says=r"m\d|size|turn|rotat|annotations")
def coco_of_pictures_with_a_rotation_note(folder):
    """Drawn over the picture as the file holds it, which viewers show turned."""
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = 6
    for k in TEN:
        drawn, mask = draw(k, SIZE)
        folder.file(f"images/m{k}.jpg", drawn, exif=exif)
        folder.truth[f"images/m{k}.jpg"] = np.rot90(mask, -1)
    folder.tolerance = EDGE
    folder.file("annotations/instances.json", coco(TEN))


@tools("either", says=r"Annotations|xml|box")
def voc_boxes(folder):
    for k in TEN:
        picture(folder, k, f"JPEGImages/m{k}.jpg")
        folder.file(
            f"Annotations/m{k}.xml",
            f"<annotation><filename>m{k}.jpg</filename><object><name>lesion</name><bndbox>"
            "<xmin>20</xmin><ymin>20</ymin><xmax>60</xmax><ymax>60</ymax></bndbox></object>"
            "</annotation>",
        )


@tools("either", says=r"annotations|annotators|project|two", always=True)
def label_studio_of_two_annotators(folder):
    for k in TEN:
        picture(folder, k, f"images/m{k}.jpg")
        folder.truth[f"images/m{k}.jpg"] = ANY
    tasks = json.loads(label_studio(TEN, lambda k: [in_percent(k)]))
    for task in tasks:
        second = in_percent(task["id"] - 3, corner()[0])
        task["annotations"].append(
            {"id": 99 + task["id"], "result": [second], "was_cancelled": False, "completed_by": 2}
        )
    folder.file("project-1.json", json.dumps(tasks))


@tools("either", says=r"project-1")
def label_studio_predictions_only(folder):
    """What a model proposed and nobody looked at is no truth."""
    for k in TEN:
        picture(folder, k, f"images/m{k}.jpg")
        folder.truth[f"images/m{k}.jpg"] = None
    tasks = json.loads(label_studio(TEN, lambda k: [in_percent(k)]))
    for task in tasks:
        task["predictions"] = [{"result": task["annotations"][0]["result"], "score": 0.9}]
        task["annotations"] = []
    folder.file("project-1.json", json.dumps(tasks))


@tools("either", says=r"ellipse|project|json")
def label_studio_ellipses(folder):
    for k in TEN:
        picture(folder, k, f"images/m{k}.jpg")
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    ellipse_mask = (((x - 64) / 32) ** 2 + ((y - 48) / 12) ** 2 < 1).astype(np.uint8)
    for path in list(folder.truth):
        folder.truth[path] = ellipse_mask
    value = {"x": 50, "y": 50, "radiusX": 25, "radiusY": 12.5, "rotation": 0,
             "ellipselabels": ["lesion"]}  # fmt: skip
    folder.file(
        "project-1.json",
        label_studio(TEN, lambda k: [in_percent(k) | {"type": "ellipselabels", "value": value}]),
    )


@tools("either", says=r"via|json")
def via_of_its_first_version(folder):
    """Regions as a dict, not as a list."""
    content = via(TEN)
    for entry in content.values():
        entry["regions"] = {str(n): region for n, region in enumerate(entry["regions"])}
    for k in TEN:
        picture(folder, k, f"images/m{k}.jpg")
    folder.file("via_region_data.json", json.dumps(content))


@tools("either", says=r"via|circle|json")
def via_circles(folder):
    content = via(TEN)
    for entry in content.values():
        entry["regions"][0]["shape_attributes"] = {"name": "circle", "cx": 60, "cy": 50, "r": 20}
    for k in TEN:
        picture(folder, k, f"images/m{k}.jpg")
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    for path in list(folder.truth):
        folder.truth[path] = ((x - 60) ** 2 + (y - 50) ** 2 < 400).astype(np.uint8)
    folder.file("via_region_data.json", json.dumps(content))


@tools("either", says=r"ann|json|supervisely")
def supervisely_polygons(folder):
    for k in TEN:
        picture(folder, k, f"ds0/img/m{k}.jpg")
        shape = {"classTitle": "lesion", "geometryType": "polygon",
                 "points": {"exterior": ellipse(k), "interior": []}}  # fmt: skip
        content = {"size": {"height": HEIGHT, "width": WIDTH}, "objects": [shape]}
        folder.file(f"ds0/ann/m{k}.jpg.json", json.dumps(content))
    folder.file("meta.json", '{"classes": [{"title": "lesion", "shape": "polygon"}]}')


@tools("either", says=r"m3")
def yolo_of_values_beyond_the_picture(folder):
    """In pixels instead of shares of width and height."""
    for k in TEN:
        picture(folder, k, f"images/m{k}.jpg")
        line = yolo_line(ellipse(k))
        if k == 3:
            line = "0 " + " ".join(f"{value:.1f}" for point in ellipse(k) for value in point)
        folder.file(f"labels/m{k}.txt", line)
    folder.file("data.yaml", DATA_YAML)


@tools.parametrize
def test_annotations(row, judge):
    judge(row)


PLAIN_ROWS = [row for row in tools if row.right == "understood"]


@pytest.mark.parametrize(
    "row", PLAIN_ROWS, ids=[row.make.__name__ + "".join(row.options) for row in PLAIN_ROWS]
)
def test_convert_writes_plain_masks(row, brought, run_command, tmp_path):
    brought.root.mkdir()
    row.make(brought)
    out = tmp_path / "plain"
    code, output, errors = run_command("convert", brought.root, "--out", out, *row.options)
    assert code == 0, (output, errors)
    written = {path.relative_to(out): path for path in out.rglob("*.*") if path.is_file()}
    assert len(written) == 2 * len(brought.truth)
    for name, truth in brought.truth.items():
        part, stem = brought.parts.get(name, ""), name.rpartition("/")[2].rpartition(".")[0]
        inside = {"train": ("train",), "validation": ("val", "validation"), "test": ("test",)}
        found = [
            path
            for place, path in sorted(written.items())
            if path.stem == stem and place.parts[0] in inside.get(part, ("image", "label"))
        ]
        picture_path, mask_path = found
        assert (read_image(picture_path) == read_image(brought.root / name)).all()
        mask = read_image(mask_path, 1)[..., 0]
        assert set(np.unique(mask)) <= {0, 255}
        assert ((mask > 0) != truth).sum() <= EDGE * max(30, truth.sum()), name


@pytest.mark.parametrize("tool", ["coco", "labelme", "yolo"])
def test_what_convert_wrote_for_a_tool_comes_back(tool, brought, run_command, tmp_path):
    brought.root.mkdir()
    for k in TEN:
        mask = picture(brought, k, f"image/m{k}.jpg")
        brought.file(f"label/m{k}.png", white(mask) if k % 2 else plain(mask))
    out = tmp_path / "exported"
    code, output, errors = run_command("convert", brought.root, "--out", out, "--to", tool)
    assert code == 0, (output, errors)
    assert not list(out.rglob("label/*.png"))
    code, output, _ = run_command("check", out)
    assert code == 0, output
    back = tmp_path / "back"
    assert run_command("convert", out, "--out", back)[0] == 0
    for k in TEN:
        mask, truth = read_image(back / "label" / f"m{k}.png", 1)[..., 0] > 0, draw(k, SIZE)[1]
        assert (mask != truth).sum() <= EDGE * truth.sum(), k
