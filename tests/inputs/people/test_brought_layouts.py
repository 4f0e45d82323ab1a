"""Published data sets as they are unpacked, small, with their real names of folders and files."""

import numpy as np
from bring import ANY, SIZE, Table, draw, encoded, palette, plain, white

layouts = Table()
ISIC = "ISIC_00000{:02}"
PARTS = {"Training": ("train", range(6)), "Validation": ("validation", (6, 7)),
         "Test": ("test", (8, 9))}  # fmt: skip


@layouts(says="copy|copies|twice|same")
def ham10000_of_kaggle(folder):
    """The archive holds each picture twice, in two spellings of its folder's name."""
    for k in range(12):
        name = f"HAM10000_images_part_{1 + k // 6}/ISIC_00243{k:02}.jpg"
        mask = "/".join(["HAM10000_segmentations_lesion_tschandl"] * 2)
        mask = f"{mask}/ISIC_00243{k:02}_segmentation.png"
        folder.pair(k, name, mask, group=f"HAM_{k // 2:07}")
        copy = name.replace("HAM", "ham")
        folder.file(copy, (folder.root / name).read_bytes())
        folder.copies[copy] = name
    rows = "".join(f"HAM_{k // 2:07},ISIC_00243{k:02},nv,histo,45.0,male,back\n" for k in range(12))
    header = "lesion_id,image_id,dx,dx_type,age,sex,localization\n"
    folder.file("HAM10000_metadata.csv", header + rows)
    for name in ("8_8_L", "28_28_L", "28_28_RGB"):
        folder.file(f"hmnist_{name}.csv", "pixel0000,label\n0,2\n")


@layouts()
def ham10000_of_dataverse(folder):
    for k in range(12):
        name = f"HAM10000_images_part_{1 + k // 6}/ISIC_00243{k:02}.jpg"
        mask = f"HAM10000_segmentations_lesion_tschandl/ISIC_00243{k:02}_segmentation.png"
        folder.pair(k, name, mask, group=f"HAM_{k // 2:07}")
    rows = "".join(f"HAM_{k // 2:07}\tISIC_00243{k:02}\tnv\n" for k in range(12))
    folder.file("HAM10000_metadata", "lesion_id\timage_id\tdx\n" + rows)
    folder.picture(50, "ISIC2018_Task3_Test_Images/ISIC_0034524.jpg")
    folder.file("ISIC2018_Task3_Test_GroundTruth.csv", "image,MEL\nISIC_0034524,0\n")


def junk(folder, place):
    folder.file(f"{place}/._ISIC_0000000.jpg", b"Mac")
    folder.file(f"{place}/Thumbs.db", b"x")
    folder.file(f"{place}/.DS_Store", b"x")
    folder.file(f"__MACOSX/{place}/._ISIC_0000000.jpg", b"Mac")


@layouts()
def isic_2016(folder):
    for word, ks in (("Training", range(7)), ("Test", (7, 8, 9))):
        place = f"ISBI2016_ISIC_Part1_{word}"
        folder.pairs(
            ks, f"{place}_Data/{ISIC}.jpg", f"{place}_GroundTruth/{ISIC}_Segmentation.png",
            part=PARTS[word][0],
        )  # fmt: skip
        folder.file(f"ISBI2016_ISIC_Part3_{word}_GroundTruth.csv", f"{ISIC.format(0)},benign\n")
    junk(folder, "ISBI2016_ISIC_Part1_Training_Data")


@layouts()
def isic_2017(folder):
    for word, (part, ks) in PARTS.items():
        place = f"ISIC-2017_{word}{'_v2' * (word == 'Test')}"
        for k in ks:
            name = ISIC.format(k)
            folder.pair(
                k, f"{place}_Data/{name}.jpg", f"{place}_Part1_GroundTruth/{name}_segmentation.png",
                part=part,
            )  # fmt: skip
            folder.file(f"{place}_Data/{name}_superpixels.png", draw(k)[0][..., ::-1].copy())
            folder.file(f"{place}_Part2_GroundTruth/{name}_features.json", '{"streaks": [0, 1]}')
        folder.file(
            f"{place}_Data/{place}_Data_metadata.csv",
            "image_id,age_approximate,sex\n" + f"{ISIC.format(ks[0])},50,male\n",
        )
        folder.file(f"{place}_Part3_GroundTruth.csv", "image_id,melanoma,seborrheic_keratosis\n")
        junk(folder, f"{place}_Data")


@layouts()
def isic_2018(folder):
    for word, (part, ks) in PARTS.items():
        for k in ks:
            name = ISIC.format(k)
            folder.pair(
                k, f"ISIC2018_Task1-2_{word}_Input/{name}.jpg",
                f"ISIC2018_Task1_{word}_GroundTruth/{name}_segmentation.png", part=part,
            )  # fmt: skip
            for attribute in ("globules", "milia_like_cyst", "negative_network", "streaks",
                              "pigment_network"):  # fmt: skip
                folder.file(
                    f"ISIC2018_Task2_{word}_GroundTruth{'_v3' * (word == 'Training')}/"
                    f"{name}_attribute_{attribute}.png",
                    white(draw(k + 40)[1]),
                )
        for text in ("LICENSE.txt", "ATTRIBUTION.txt"):
            folder.file(f"ISIC2018_Task1-2_{word}_Input/{text}", "CC-BY-NC")
    folder.file(
        "ISIC2018_Task3_Training_GroundTruth/ISIC2018_Task3_Training_GroundTruth.csv",
        "image,MEL,NV\nISIC_0024306,0.0,1.0\n",
    )


@layouts("either", says=r"Validation_Input|ISIC_0000006")
def isic_2018_validation_without_its_truth(folder):
    for k in range(6):
        name = ISIC.format(k)
        folder.pair(
            k, f"ISIC2018_Task1-2_Training_Input/{name}.jpg",
            f"ISIC2018_Task1_Training_GroundTruth/{name}_segmentation.png",
        )  # fmt: skip
    for k in (6, 7):
        folder.picture(k, f"ISIC2018_Task1-2_Validation_Input/{ISIC.format(k)}.jpg")


@layouts("either", says=r"Task3|ISIC_0000060")
def isic_2018_with_pictures_of_another_task(folder):
    isic_2018(folder)
    folder.picture(60, "ISIC2018_Task3_Training_Input/ISIC_0000060.jpg")


@layouts()
def ph2(folder):
    base = "PH2Dataset/PH2 Dataset images"
    for k in range(2, 10):
        name = f"IMD{k:03}"
        folder.pair(
            k, f"{base}/{name}/{name}_Dermoscopic_Image/{name}.bmp",
            f"{base}/{name}/{name}_lesion/{name}_lesion.bmp",
        )  # fmt: skip
        for number in (1, 2):
            region = white(draw(k + 40 + number)[1])
            folder.file(f"{base}/{name}/{name}_roi/{name}_R{number}_Label3.bmp", region)
    folder.file("PH2Dataset/PH2_dataset.xlsx", b"PK")
    folder.file("PH2Dataset/PH2_dataset.txt", "|| Name ||")
    folder.file("PH2Dataset/Thumbs.db", b"x")


@layouts("either", says=r"metadata\.csv")
def carvana(folder):
    for k in range(1, 17):
        stem = f"0cdf5b5d0ce1_{k:02}"
        folder.pair(k, f"train/{stem}.jpg", f"train_masks/{stem}_mask.gif", part="train")
    folder.picture(50, "test/0004d4463b50_01.jpg", part="test")
    folder.file("train_masks.csv", "img,rle_mask\n0cdf5b5d0ce1_01.jpg,1 2\n")
    folder.file("metadata.csv", "id,year,make\n0cdf5b5d0ce1,2015,Acura\n")
    folder.file("sample_submission.csv", "img,rle_mask\n")


@layouts("either", says=r"mask|1st_manual", always=False)
def drive(folder):
    """mask/ holds the field of view, which nearly all pictures share; the truth is 1st_manual/."""
    field = draw(0, centre=(0.5, 0.5), radius=17)[1]
    for word, ks in (("training", range(21, 28)), ("test", range(1, 4))):
        for k in ks:
            name = f"{word}/images/{k:02}_{word}.tif"
            folder.pair(
                k, name, f"{word}/1st_manual/{k:02}_manual1.gif",
                part={"training": "train"}.get(word, word),
            )  # fmt: skip
            folder.file(f"{word}/mask/{k:02}_{word}_mask.gif", white(np.roll(field, k % 2, 1)))
            if word == "test":
                second = np.roll(draw(k)[1], 1, 0)
                folder.file(f"test/2nd_manual/{k:02}_manual2.gif", white(second))


@layouts("either", says=r"1stHO|no picture has a mask")
def chase_db1(folder):
    for k in range(1, 7):
        for side, number in (("L", 2 * k), ("R", 2 * k + 1)):
            stem = f"Image_{k:02}{side}"
            folder.pair(number, f"{stem}.jpg", f"{stem}_1stHO.png")
            folder.file(f"{stem}_2ndHO.png", white(np.roll(draw(number)[1], 1, 0)))


@layouts("either", says=r"1stHO|Image_0|second")
def chase_db1_in_two_folders(folder):
    for k in range(1, 9):
        folder.pair(k, f"images/Image_{k:02}L.jpg", f"labels/Image_{k:02}L_1stHO.png")


@layouts()
def kvasir_seg(folder):
    """Masks are JPEG."""
    folder.tolerance = 0.25
    folder.pairs(
        range(8), "Kvasir-SEG/images/cju0qkwl35piu{}.jpg", "Kvasir-SEG/masks/cju0qkwl35piu{}.jpg"
    )
    folder.file("Kvasir-SEG/kavsir_bboxes.json", '{"cju0qkwl35piu0": {"height": 529}}')


@layouts("either", says=r"Original|no picture")
def cvc_clinicdb(folder):
    folder.pairs(range(1, 9), "CVC-ClinicDB/Original/{}.tif", "CVC-ClinicDB/Ground Truth/{}.tif")


@layouts()
def lgg_mri(folder):
    for k in range(12):
        patient = f"TCGA_CS_{4941 + k // 4}_19960909"
        stem = f"kaggle_3m/{patient}/{patient}_{k % 4 + 1}"
        empty = np.zeros(SIZE, np.uint8) if k % 4 == 0 else None
        save = np.zeros_like if k % 4 == 0 else white
        folder.pair(k, f"{stem}.tif", f"{stem}_mask.tif", save, empty)
    folder.file("kaggle_3m/data.csv", "Patient,RNASeqCluster\nTCGA_CS_4941,2\n")
    folder.file("kaggle_3m/README.md", "LGG")


@layouts("either", says=r"masks|stage1_train|several")
def nuclei_of_kaggle(folder):
    """Each picture has a folder with one mask for each nucleus."""
    for k in range(6):
        place = f"stage1_train/{k:064x}"
        picture, mask = draw(k)
        second = draw(k + 20, centre=(0.9, 0.9), radius=3)[1]
        folder.file(f"{place}/images/{k:064x}.png", picture)
        folder.file(f"{place}/masks/{k + 100:064x}.png", white(mask))
        folder.file(f"{place}/masks/{k + 200:064x}.png", white(second))
        folder.truth[f"{place}/images/{k:064x}.png"] = mask | second


@layouts("either", says=r"contour|no picture has a mask")
def dermquest_of_waterloo(folder):
    for k in range(8):
        kind = "melanoma" if k % 2 else "notmelanoma"
        stem = f"Skin Image Data Set/skin_data/{kind}/dermquest/D{k}"
        folder.pair(k, f"{stem}_orig.jpg", f"{stem}_contour.png")


@layouts("named", says=(r"\b1\b.*\b2\b.*\b3\b", "--lesion-level"))
def oxford_pets(folder):
    """annotations/trimaps holds 1, 2 and 3: pet, background, border."""

    def trimap(mask):
        return (2 - mask + (np.roll(mask, 2, 1) != mask)).astype(np.uint8)

    for k in range(8):
        folder.pair(k, f"images/Abyssinian_{k}.jpg", f"annotations/trimaps/Abyssinian_{k}.png",
                    trimap, ANY)  # fmt: skip
        folder.file(f"annotations/xmls/Abyssinian_{k}.xml", "<annotation></annotation>")
        folder.file(f"annotations/trimaps/._Abyssinian_{k}.png", b"Mac")
    folder.file("annotations/list.txt", "Abyssinian_0 1 1 1\n")


@layouts("either", says=r"trainannot|no picture")
def camvid_of_segnet(folder):
    words = (("train", "train", range(6)), ("val", "validation", (6, 7)), ("test", "test", (8, 9)))
    for word, part, ks in words:
        folder.pairs(ks, f"{word}/m{{}}.png", f"{word}annot/m{{}}.png", plain, part=part)


@layouts("either", says=r"ann|json")
def supervisely(folder):
    for k in range(8):
        folder.picture(k, f"ds0/img/m{k}.jpg")
        folder.truth[f"ds0/img/m{k}.jpg"] = None
        folder.file(
            f"ds0/ann/m{k}.jpg.json",
            '{"description": "", "size": {"height": 36, "width": 48}, "objects": []}',
        )
    folder.file("meta.json", '{"classes": [{"title": "lesion"}]}')


@layouts("named", says="--lesion-level")
def voc_2012(folder):
    """21 classes with a border of 255, and lists that name only a part of the pictures."""
    colours = [(128, 0, 0), (0, 128, 0), (128, 128, 0)]

    def classes(mask):
        levels = mask * np.uint8(2)
        levels[(np.roll(mask, 1, 0) != mask)] = 255
        picture = palette(*colours, *[(0, 0, 0)] * 251, (224, 224, 192))(levels)
        return picture

    place = "VOCdevkit/VOC2012"
    for k in range(8):
        name = f"2007_0000{k:02}"
        folder.pair(
            k, f"{place}/JPEGImages/{name}.jpg", f"{place}/SegmentationClass/{name}.png",
            classes, ANY,
        )  # fmt: skip
        folder.file(f"{place}/SegmentationObject/{name}.png", classes(draw(k)[1]))
        folder.file(f"{place}/Annotations/{name}.xml", "<annotation></annotation>")
    folder.picture(50, f"{place}/JPEGImages/2007_000099.jpg")
    for word, ks in (("train", range(5)), ("val", range(5, 8)), ("trainval", range(8))):
        names = "".join(f"2007_0000{k:02}\n" for k in ks)
        folder.file(f"{place}/ImageSets/Segmentation/{word}.txt", names)
    folder.file(f"{place}/ImageSets/Main/train.txt", "2007_000000\n2007_000099\n")


@layouts(options="--lesion-level 2 --ignore-level 255")
def voc_2012_one_class_chosen(folder):
    voc_2012(folder)
    for path, truth in list(folder.truth.items()):
        if truth is None:
            continue
        k = int(path[-6:-4])
        mask = draw(k)[1]
        border = np.roll(mask, 1, 0) != mask
        folder.truth[path] = np.where(border, np.uint8(255), mask)
        folder.parts[path] = "train" if k < 5 else "validation"


@layouts()
def nnunet_of_one_task(folder):
    place = "nnUNet_raw/Dataset501_Moles"
    folder.pairs(
        range(8), f"{place}/imagesTr/m_{{:03}}_0000.png", f"{place}/labelsTr/m_{{:03}}.png", plain,
        part="train",
    )  # fmt: skip
    folder.picture(50, f"{place}/imagesTs/m_100_0000.png", part="test")
    folder.file(
        f"{place}/dataset.json",
        '{"channel_names": {"0": "R"}, "labels": {"background": 0, "lesion": 1}, '
        '"numTraining": 8, "file_ending": ".png"}',
    )


@layouts()
def roboflow_semantic(folder):
    for word, part, ks in (("train", "train", range(6)), ("valid", "validation", (6, 7)),
                           ("test", "test", (8, 9))):  # fmt: skip
        for k in ks:
            stem = f"Moles.v1i.png-mask-semantic/{word}/mole_{k}_png.rf.{k:032x}"
            folder.pair(k, f"{stem}.jpg", f"{stem}_mask.png", plain, part=part)
        folder.file(
            f"Moles.v1i.png-mask-semantic/{word}/_classes.csv",
            "Pixel Value, Class\n0, background\n1, mole\n",
        )
    for name in ("README.dataset.txt", "README.roboflow.txt"):
        folder.file(f"Moles.v1i.png-mask-semantic/{name}", "Moles")


@layouts("either", says=r"_A|trainA|no picture")
def cyclegan(folder):
    """Two domains, no truth at all."""
    for k in range(6):
        folder.picture(k, f"trainA/{k}.jpg")
        folder.picture(k + 20, f"trainB/{k}.jpg")


@layouts("either", says=r"train|no mask|a mask|no picture", always=True)
def classification_by_folders(folder):
    for k in range(12):
        place = f"{'train' if k < 8 else 'test'}/{'melanoma' if k % 2 else 'benign'}"
        folder.picture(k, f"{place}/melanoma_{k}.jpg")


@layouts("either", says=r"1_A|segmentation|no picture", always=False)
def picture_and_mask_side_by_side_in_one_file(folder):
    """pix2pix: the left half is the picture, the right half the truth; no pair of files at all."""
    for k in range(6):
        picture, mask = draw(k)
        both = np.concatenate([picture, np.repeat(white(mask)[..., None], 3, 2)], axis=1)
        folder.file(f"train/{k}.jpg", encoded(both, "JPEG"))
        folder.truth[f"train/{k}.jpg"] = None


@layouts.parametrize
def test_layouts(row, judge):
    judge(row)
