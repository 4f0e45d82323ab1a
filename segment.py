"""Segment skin lesions from the command line: the headless twin of the notebook.

    python segment.py check DIR
    python segment.py train --data DIR --epochs 60 --out runs/mine
    python segment.py train --data DIR --folds 5 --out runs/folds
    python segment.py evaluate --data DIR --weights runs/mine/model.keras --out runs/scores
    python segment.py calibrate --data DIR --weights runs/mine/model.keras --out runs/calibrated
    python segment.py compare --data DIR --weights A.keras B.keras --out runs/comparison
    python segment.py predict PICTURE... --weights runs/mine/model.keras --out masks
    python segment.py predict PICTURE... --weights runs/folds/fold*/model.keras --out masks
    python segment.py convert DIR --out plain
    python segment.py convert DIR --predictions masks --to coco --out to_correct
    python segment.py export --format onnx --weights runs/mine/model.keras --out exported
    python segment.py download isic2018 --out data/isic2018

DIR holds pictures and masks; `check` tells what was found in it. Results go to a new folder.
A mistake ends in one line that says what to do, and exit code 2; --debug shows where it was found.
"""

import sys
from contextlib import nullcontext
from dataclasses import fields, replace
from pathlib import Path

from lesion import jobs, processes, startup
from lesion.console import InputError, agreed, counted, note, run
from lesion.options import create_parser
from lesion.runs import claim_folder, create_run_folder, release, releasing, resume_folder
from lesion.settings import LEGEND, Settings

# What takes seconds to import is imported inside the functions: `--help`, mistyped options, an
# occupied folder and data without masks answer at once, `check` never loads TensorFlow, `predict`,
# `calibrate` and `compare` only without a .tflite.


def run_check(arguments):
    from lesion import inputs

    result = inputs.check(arguments.directories, legend=inputs.legend_of(arguments))
    print(result)
    return 0 if result.passed else 1


def run_train(arguments):
    from lesion import inputs

    settings = Settings(**{f.name: getattr(arguments, f.name) for f in fields(Settings)})
    if arguments.folds:
        settings = replace(settings, test=1 / arguments.folds)
    if arguments.resume and arguments.out is None:
        raise InputError("--resume needs --out: the folder of the training to go on with")
    processes.check(arguments)
    if processes.member() is None:  # what is wrong with the folders is told before Keras is loaded
        for folder in settings.data:
            test = 0 if arguments.folds else settings.test
            inputs.load_split(folder, settings.seed, settings.validation, test)
    if arguments.processes and not processes.member():
        return train_together(arguments, settings)
    with processes.joined(arguments.out), training_folder(arguments, settings) as out:
        startup.start_keras()

        from lesion import distribution, folds, workflow

        settings = settings.complete()
        if arguments.folds:
            splits = inputs.load_folds(settings, arguments.folds, arguments.skip_bad)
            split = splits[0]
            folds.train(splits, settings, out)
        else:
            split = distribution.shared(lambda: inputs.load(settings, arguments.skip_bad))
            workflow.train(split, settings, out)
        print(f"results are in {out}")
        list_passed_over(split.passed_over)
        list_left_out(split.left_out)


def train_together(arguments, settings):
    """Start the processes, each of which comes to `run_train` and finds that it is one of them."""
    from lesion import launcher

    if arguments.out:
        return launcher.launch(arguments.processes, arguments.out)
    out = new_folder(arguments, settings.model)
    release(out)  # only its name is needed: the first process claims it
    return launcher.launch(arguments.processes, out, ["--out", str(out)])


def training_folder(arguments, settings):
    """Claim the folder of a training for a `with` block; of several processes the first does."""
    if not processes.leads():
        return nullcontext(Path(arguments.out))
    if arguments.resume:
        return releasing(resume_folder(arguments.out))
    return releasing(new_folder(arguments, settings.model))


def run_evaluate(arguments):
    with releasing(jobs.resumed(arguments) or new_folder(arguments, "scores")) as out:
        from lesion import inputs, predict

        engine = jobs.engine(arguments)
        with inputs.local_folder(arguments.data, out / ".data") as data:
            if arguments.protocol:
                chosen = inputs.select_test(data, arguments.weights)
            else:
                chosen = inputs.select_common(data, arguments.weights, arguments.part)
            network = predict.join([predict.load_network(path) for path in arguments.weights])
            pairs, left_out = inputs.filter_pairs(
                data, chosen.pairs, arguments.skip_bad, legend=inputs.legend_of(arguments)
            )
            if arguments.protocol:
                inputs.refuse_seen(arguments.weights, pairs)
            remark = inputs.remark_on(arguments.weights, pairs, chosen.remark)
            startup.start_keras()

            from lesion import workflow

            print(f"scoring {counted(len(pairs))}: {chosen.set_name}")
            files = [(pair.name, pair.image, pair.mask) for pair in pairs]
            with jobs.journal(arguments, out, files, *LEGEND) as done:
                scored = network, pairs, chosen.set_name, out, arguments.protocol, remark
                workflow.score(*scored, engine=engine, done=done)
        print(f"results are in {out}")
        list_left_out(left_out)


def run_calibrate(arguments):
    with releasing(new_folder(arguments, "calibrated")) as out:
        from lesion import inputs, predict, score

        data, weights = arguments.data, arguments.weights
        chosen = inputs.select_pairs(data, weights, arguments.part, usual="validation")
        network = predict.load_network(weights)
        pairs, left_out = inputs.filter_pairs(
            data, chosen.pairs, arguments.skip_bad, legend=inputs.legend_of(arguments)
        )
        note(inputs.remark_on([weights], pairs, chosen.remark))
        print(f"calibrating on {counted(len(pairs))}: {chosen.set_name}")
        found = score.calibrate(network, pairs)
        print(found)
        if not found.evident:
            raise InputError(
                f"{data}: no evidence that another rule fits these pictures better, gain "
                f"{found.gain}: keep the weights as they are, or label more pictures"
            )
        saved = score.save_calibrated(weights, network.settings, found, pairs, out)
        print(f"calibrated weights: {saved}")
        if network.estimate:
            note("their quality estimate was learnt with the former rule and its annotators")
        list_left_out(left_out)


def run_compare(arguments):
    with releasing(new_folder(arguments, "comparison")) as out:
        from lesion import comparison, inputs, predict

        names = comparison.model_names(arguments.weights)
        pairs, set_name, remarks = comparison.common_pairs(arguments.data, arguments.weights)
        networks = dict(zip(names, map(predict.load_network, arguments.weights), strict=True))
        pairs, left_out = inputs.filter_pairs(
            arguments.data, pairs, arguments.skip_bad, legend=inputs.legend_of(arguments)
        )
        if remark := inputs.remark_on(arguments.weights, pairs, "; ".join(remarks)):
            note(remark)
        print(f"comparing {', '.join(names)} on {counted(len(pairs))}: {set_name}")
        print(comparison.describe(comparison.compare(networks, pairs, set_name, out)))
        print(f"results are in {out}")
        list_left_out(left_out)


def run_predict(arguments):
    from lesion import inputs
    from lesion.inputs.folders import few

    engine = jobs.engine(arguments)
    found, passed_over = inputs.find_pictures(arguments.paths)  # before --out lies among them
    with releasing(jobs.resumed(arguments) or new_folder(arguments, "masks")) as out:
        from lesion import predict

        network = predict.join([predict.load_network(path) for path in arguments.weights])
        network.one_lesion = network.one_lesion and not arguments.all_lesions
        images, left_out = inputs.filter_pictures(found, arguments.skip_bad)
        network.threshold = arguments.threshold or network.threshold
        options = "mm_per_pixel", "threshold", "all_lesions", "overlay", "probability"
        with jobs.journal(arguments, out, found, *options) as done:
            how = arguments.mm_per_pixel, arguments.skip_bad, arguments.overlay
            how = *how, arguments.probability, engine, done, arguments.resume
            rows, damaged = predict.predict_files(network, images, out, *how)
        for row in rows[:20]:
            print(
                f"{row['name']}: lesion covers {row['area']:.1%} of {row['width']} x "
                f"{row['height']}, quality estimate {row['quality']:.2f}{left_away(network, row)}"
            )
        if unlike := [row["name"] for row in rows if row["unfamiliar"]]:
            note(
                f"unlike the pictures that the network was trained on, {len(unlike)} of "
                f"{len(rows)}: {few(unlike)}"
            )
        if several := sum(bool(left_away(network, row)) for row in rows):
            note(
                f"{several} of {len(rows)} masks hold the largest of several parts only; "
                "--all-lesions keeps them all"
            )
        overlays = "" if arguments.overlay == "none" else f", overlay{'s' * (len(rows) > 1)}"
        maps = ", probabilities" if arguments.probability else ""
        print(f"{counted(len(rows), 'mask')}{overlays}{maps} and lesions.csv are in {out}")
        list_passed_over(passed_over)
        list_left_out(left_out + damaged)


def left_away(network, row):
    """Say of a line of lesions.csv that its mask does not hold all that the network found."""
    several = network.one_lesion and row["parts"] > 1
    return f", kept the largest of {row['parts']} parts" if several else ""


def run_convert(arguments):
    from lesion import inputs

    with releasing(new_folder(arguments, "converted")) as out:
        lines = inputs.convert(
            arguments.directory,
            out,
            arguments.to,
            arguments.predictions,
            arguments.skip_bad,
            inputs.legend_of(arguments),
        )
        print("\n".join([*lines, f"all is in {out}"]))


def run_export(arguments):
    with releasing(new_folder(arguments, "export")) as out:
        startup.start_keras()

        from lesion import export, inputs

        lines = export.export(
            arguments.weights,
            arguments.format,
            out,
            arguments.data,
            arguments.precision,
            arguments.skip_bad,
            inputs.legend_of(arguments),
        )
        print("\n".join(lines))


def run_download(arguments):
    from lesion import download
    from lesion.data_sets import DATA_SETS

    name, out = arguments.name, arguments.out or f"data/{arguments.name}"
    if not download.is_complete(name, out):
        download.refuse(name, arguments.archive)
        print(DATA_SETS[name])
        accepted = arguments.accept_licence or agreed("Accept this?", "--accept-licence")
        download.fetch(name, out, accepted, arguments.archive)
    print(f"all is in {out}: segment.py check {out} looks at each picture")


def new_folder(arguments, name):
    """Claim the folder of --out, or make one with this name in runs/."""
    return claim_folder(arguments.out) if arguments.out else create_run_folder("runs", name)


def list_passed_over(lines):
    for line in lines:
        print(f"passed over: {line}")


def list_left_out(lines):
    if lines:
        print("\n".join(["left out:", *lines]))


RUNS = {
    "check": run_check,
    "train": run_train,
    "evaluate": run_evaluate,
    "calibrate": run_calibrate,
    "compare": run_compare,
    "predict": run_predict,
    "convert": run_convert,
    "export": run_export,
    "download": run_download,
}


def main(argv=None):
    code = run(create_parser(__doc__, RUNS), lambda arguments: arguments.run(arguments), argv)
    return processes.leave(code)


if __name__ == "__main__":
    sys.exit(main())
