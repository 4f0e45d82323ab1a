"""Stragglers and failures on many machines, simulated: what is left of their time, and why.

    python -m benchmarks.failures --measured files/scale.json --out runs/failures

Synchronous training: a step lasts as long as the slowest worker needs, and the exchange of
gradients; a worker that fails takes all back to the last checkpoint. Streaming prediction: each
worker takes a block of pictures after the other, and those of a worker that fails go back into
the queue. How steps differ, what a checkpoint and a restart cost are those that `scale.py` has
measured; how often machines fail, how fast they and their network are, is assumed below, each
with its source. Writes results.json into --out, a new folder.
"""

import json
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from lesion import console
from lesion.console import Parser

HOUR = 3600.0
# 419 unexpected interruptions of 16,384 GPUs in 54 days: Grattafiori et al. 2024, The Llama 3 Herd
# of Models, arXiv:2407.21783, table 5.
HARDWARE = 16_384 * 54 * 24 * HOUR / 419
# A preemptible machine of Google's lasts 24 hours at most: cloud.google.com/compute/docs/instances/
# preemptible. Taken as the mean, since many end earlier.
PREEMPTIBLE = 24 * HOUR
MEAN_TIMES = {"hardware alone": HARDWARE, "preemptible machines": PREEMPTIBLE}
WORKERS = (8, 16, 32, 64)
BLOCK = 64  # pictures that a worker takes at a time
FAILURES = 4000  # that a simulated training goes through
HOPELESS = 5  # mean times between failures that a restart takes: one in 150 gets through
INTERVALS = np.geomspace(0.1, 10, 13)  # that are tried, in Young's


@dataclass(frozen=True)
class Job:
    """A synchronous training; times in seconds.

    Attributes:
        workers: how many.
        step: of a worker that nothing holds up.
        spread: float (N,), what steps last as shares of that, as measured.
        exchange: of gradients, after each step.
        mean_time: between two failures of one worker.
        interval: of work between two checkpoints.
        checkpoint: to write one.
        restart: from a failure to the first new step.
    """

    workers: int
    step: float
    spread: np.ndarray
    exchange: float
    mean_time: float
    interval: float
    checkpoint: float
    restart: float

    @property
    def between_failures(self) -> float:
        """Mean time between two failures of any worker."""
        return self.mean_time / self.workers

    @property
    def steps(self) -> int:
        """Steps between two checkpoints."""
        return max(1, round(self.interval / (self.step + self.exchange)))


def slowest(spread: np.ndarray, workers: int) -> float:
    """Return what the slowest of some workers takes for a step on average, as a share.

    Each draws from the measured shares, so that the largest of n of them is below a share with the
    n-th power of the probability that one is.
    """
    below = np.arange(len(spread) + 1) / len(spread)
    return float(np.sort(spread) @ np.diff(below**workers))


def simulate_training(job: Job, segments: int, seed: int = 0) -> dict:
    """Simulate a training of some checkpoints.

    There are so many steps between two checkpoints that their sum is taken for its mean.

    Returns:
        {seconds: in all, efficiency: what one worker would need for the steps alone / seconds,
        failures: how many}.
    """
    import simpy

    env, rng = simpy.Environment(), np.random.default_rng(seed)
    segment = job.step * slowest(job.spread, job.workers) + job.exchange
    segment = job.steps * segment + job.checkpoint
    failures = 0

    def unless_failed(seconds):
        nonlocal failures
        try:
            yield env.timeout(seconds)
            return True
        except simpy.Interrupt:
            failures += 1
            return False

    def train():
        done = 0
        while True:
            start = env.now
            if (yield from unless_failed((segments - done) * segment)):
                return
            done += int((env.now - start) // segment)
            while not (yield from unless_failed(job.restart)):
                pass

    def fail():  # in a new machine's place the next one has no memory of the old one's age
        while True:
            yield env.timeout(rng.exponential(job.mean_time))
            if training.is_alive:
                training.interrupt()

    training = env.process(train())
    for _ in range(job.workers):
        env.process(fail())
    env.run(until=training)
    useful = segments * job.steps * job.step
    return {"seconds": env.now, "efficiency": useful / env.now, "failures": failures}


def expected_seconds(job: Job, segments: int) -> float:
    """Return the mean of `simulate_training` where all steps are alike (Daly 2006).

    J. T. Daly, A higher order estimate of the optimum checkpoint interval for restart dumps,
    Future Generation Computer Systems 22; failures may strike in a restart, too.
    """
    mean, work = job.between_failures, job.steps * (job.step + job.exchange)
    once = mean * np.exp(job.restart / mean) * np.expm1((work + job.checkpoint) / mean)
    return float(segments * once)


def young(job: Job) -> float:
    """Return Young's best interval in seconds (1974, Communications of the ACM 17, 530-531)."""
    return float(np.sqrt(2 * job.checkpoint * job.between_failures))


def daly(job: Job) -> float:
    """Return Daly's best interval in seconds (2006, see `expected_seconds`)."""
    ratio = job.checkpoint / (2 * job.between_failures)
    if ratio >= 1:
        return job.between_failures
    return young(job) * (1 + np.sqrt(ratio) / 3 + ratio / 9) - job.checkpoint


def efficiency(job: Job) -> float:
    """Return the efficiency of a training that is long enough for some FAILURES.

    It is 0 where hardly a restart comes to its end.
    """
    if job.restart > HOPELESS * job.between_failures:
        return 0.0
    work = job.interval + job.checkpoint
    segments = max(1, round(FAILURES * job.between_failures / work))
    return simulate_training(job, segments)["efficiency"]


def study_training(job: Job) -> dict:
    """Return the efficiencies of a job: as it is, at the best interval, and without failures."""
    tried = {share * young(job): None for share in INTERVALS}
    for interval in tried:
        tried[interval] = efficiency(replace(job, interval=interval))
    best = max(tried, key=tried.get)
    alone = replace(job, mean_time=np.inf, checkpoint=0.0)
    return {
        "workers": job.workers,
        "hours between failures": job.between_failures / HOUR,
        "efficiency": efficiency(job),
        "without failures": simulate_training(alone, segments=1)["efficiency"],
        "best efficiency": tried[best],
        "best interval, s": best,
        "Young, s": young(job),
        "Daly, s": daly(job),
    }


def simulate_prediction(pictures, workers, seconds, spread, mean_time, restart, seed=0) -> dict:
    """Simulate workers that take blocks of pictures from one queue until all are done.

    Args:
        pictures, workers: how many.
        seconds: that a picture takes a worker.
        spread: float (N,), what blocks last as shares of the usual, as measured.
        mean_time: between two failures of one worker, in seconds.
        restart: of a worker, in seconds.

    Returns:
        {seconds: in all, efficiency: of all workers, done: pictures, failures: of workers that
        were at work, redone: pictures of theirs}.
    """
    import simpy

    env, rng = simpy.Environment(), np.random.default_rng(seed)
    queue, finished = simpy.Store(env), env.event()
    told = {"done": 0, "failures": 0, "redone": 0}
    for first in range(0, pictures, BLOCK):
        queue.put(min(BLOCK, pictures - first))

    def work():
        while True:
            block = yield queue.get()
            needed = block * seconds * rng.choice(spread)
            left = rng.exponential(mean_time)  # an idle worker fails unnoticed
            yield env.timeout(min(needed, left))
            if left < needed:
                told["failures"] += 1
                told["redone"] += block
                queue.put(block)
                yield env.timeout(restart)
                continue
            told["done"] += block
            if told["done"] == pictures:
                finished.succeed()

    for _ in range(workers):
        env.process(work())
    env.run(until=finished)
    used = pictures * seconds * float(np.mean(spread))
    return {"seconds": env.now, "efficiency": used / (workers * env.now), **told}


def study(training: dict, prediction: dict) -> dict:
    """Return the tables of both kinds of work, for each mean time between failures.

    Args:
        training: number of workers -> the `Job` without its mean time.
        prediction: the arguments of `simulate_prediction` without its mean time and workers.
    """
    tables = {"training": [], "prediction": []}
    for name, mean_time in MEAN_TIMES.items():
        for job in training.values():
            row = study_training(replace(job, mean_time=mean_time))
            tables["training"].append({"failures of": name, **row})
        for workers in training:
            row = simulate_prediction(**prediction, workers=workers, mean_time=mean_time)
            tables["prediction"].append({"failures of": name, "workers": workers, **row})
    return tables


def measure(arguments):
    """Simulate, with what was measured, and write the tables."""
    from benchmarks.scale_plan import simulated
    from benchmarks.speedrun import show
    from lesion.runs import claim_folder, describe_environment, releasing
    from lesion.storage import write_json

    measured = json.loads(arguments.measured.read_text(encoding="utf-8"))
    with releasing(claim_folder(arguments.out)) as out:
        tables = simulated(measured)
        write_json(out / "results.json", {**tables, **describe_environment()})
    show(tables)


def main(argv: list[str] | None = None) -> int:
    """Run the command; return its exit code, 2 after a mistake of the user."""
    parser = Parser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--measured", metavar="FILE", type=Path, default=Path("files/scale.json"),
        help="what scale.py wrote (default: files/scale.json)",
    )  # fmt: skip
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help="a new folder")
    return console.run(parser, measure, argv)


if __name__ == "__main__":
    sys.exit(main())
