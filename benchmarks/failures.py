"""Stragglers and failures on many machines, simulated with simpy: what is left of their time.

    tables = study({8: job, 64: larger}, prediction)     # what `scale.py` puts into its plan

Synchronous training: a step lasts as long as the slowest worker needs, and the exchange of
gradients; a worker that fails takes all back to the last checkpoint. Streaming prediction: each
worker takes a block of pictures after the other, and those of a worker that fails go back into
the queue. How steps differ, what a checkpoint and a restart cost are measured; how often machines
fail is assumed below, with its source.
"""

from dataclasses import dataclass, replace

import numpy as np

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


@dataclass(frozen=True)
class Job:
    """A synchronous training; times in seconds.

    Attributes:
        workers: how many.
        step: of a worker, on average.
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

    There are so many steps between two checkpoints that their sum is taken for its mean. Machines
    fail without memory of their age: how long none will is drawn anew for each thing that is begun.

    Returns:
        {seconds: in all, efficiency: what one worker would need for the steps alone / seconds,
        failures: how many}.
    """
    import simpy

    env, rng = simpy.Environment(), np.random.default_rng(seed)
    segment = job.step * slowest(job.spread, job.workers) + job.exchange
    segment = job.steps * segment + job.checkpoint
    failures = 0

    def train():
        nonlocal failures
        done = 0
        while True:
            needed, left = (segments - done) * segment, rng.exponential(job.between_failures)
            yield env.timeout(min(needed, left))
            if left >= needed:
                return
            done += int(left // segment)
            failures += 1
            while (left := rng.exponential(job.between_failures)) < job.restart:
                failures += 1
                yield env.timeout(left)
            yield env.timeout(job.restart)

    env.run(until=env.process(train()))
    useful = segments * job.steps * job.step
    return {"seconds": env.now, "efficiency": useful / env.now, "failures": failures}


def young(job: Job) -> float:
    """Return Young's best interval in seconds (1974, Communications of the ACM 17, 530-531)."""
    return float(np.sqrt(2 * job.checkpoint * job.between_failures))


def efficiency(job: Job) -> float:
    """Return the efficiency of a training that is long enough for some FAILURES.

    It is 0 where hardly a restart comes to its end.
    """
    if job.restart > HOPELESS * job.between_failures:
        return 0.0
    work = job.interval + job.checkpoint
    segments = max(1, round(FAILURES * job.between_failures / work))
    return simulate_training(job, segments)["efficiency"]


def simulate_prediction(pictures, workers, seconds, spread, mean_time, restart, seed=0) -> dict:
    """Simulate workers that take blocks of pictures from one queue until all are done.

    Args:
        pictures, workers: how many.
        seconds: that a picture takes a worker, on average.
        spread: float (N,), what blocks last as shares of that, as measured.
        mean_time: between two failures of one worker, in seconds.
        restart: of a worker, in seconds.

    Returns:
        {seconds: in all, efficiency: share of all workers' time that went into blocks that were
        finished, done: pictures, failures: of workers that were at work, redone: pictures of
        theirs}.
    """
    import simpy

    env, rng = simpy.Environment(), np.random.default_rng(seed)
    queue, finished = simpy.Store(env), env.event()
    told, useful = {"done": 0, "failures": 0, "redone": 0}, 0.0
    for first in range(0, pictures, BLOCK):
        queue.put(min(BLOCK, pictures - first))

    def work():
        nonlocal useful
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
            useful += needed
            told["done"] += block
            if told["done"] == pictures:
                finished.succeed()

    for _ in range(workers):
        env.process(work())
    env.run(until=finished)
    return {"seconds": env.now, "efficiency": useful / (workers * env.now), **told}


def study(training: dict[int, Job], prediction: dict) -> dict[str, list[dict]]:
    """Return the tables of both kinds of work, for each mean time between failures.

    Args:
        training: number of workers -> their `Job`, whose mean time does not matter.
        prediction: the arguments of `simulate_prediction` without its mean time and workers.
    """
    tables = {"training": [], "prediction": []}
    for name, mean_time in MEAN_TIMES.items():
        for workers, job in training.items():
            job = replace(job, mean_time=mean_time)
            alone = replace(job, mean_time=np.inf, checkpoint=0.0)
            at_best = replace(job, interval=young(job))
            tables["training"].append(
                {
                    "failures of": name,
                    "GPUs": workers,
                    "hours between failures": job.between_failures / HOUR,
                    "without failures": simulate_training(alone, segments=1)["efficiency"],
                    "efficiency": efficiency(job),
                    "at Young's interval": efficiency(at_best),
                    "that interval, min": at_best.interval / 60,
                }
            )
            told = simulate_prediction(**prediction, workers=workers, mean_time=mean_time)
            tables["prediction"].append(
                {
                    "failures of": name,
                    "cores": workers,
                    "hours": told["seconds"] / HOUR,
                    "efficiency": told["efficiency"],
                    "workers failed": told["failures"],
                    "pictures begun again": told["redone"],
                }
            )
    return tables
