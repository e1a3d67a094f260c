"""Training, evaluation and packaging of ``next-event`` on simulated timelines.

Timelines are simulated until a hospital has its own: an episode has a latent course (pneumonia, sepsis, normal X-ray,
nodule), and early events determine late ones. The baseline is bigram frequency, which only sees the previous event.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import save_file

from apps.inference.engines.event_sequence.model import START, WEIGHTS, NextEvent
from apps.inference.training.evaluation import Figure, bootstrap
from apps.inference.training.packing import begin, finish
from apps.inference.training.recipes import TrainingRun

Progress = Callable[[str, int, int, str], None]
SEED, EPISODES, HELD_BACK, EPOCHS = 31, 6000, 1000, 8
EVENTS: dict[str, tuple[str, str]] = {
    "case.opened": ("The case is opened", "建立病例"),
    "case.closed": ("The case is closed", "病例结束"),
    "case.assigned": ("The case is assigned", "分配负责人"),
    "note.admission": ("Admission note", "入院记录"),
    "note.progress": ("Progress note", "病程记录"),
    "note.nursing": ("Nursing note", "护理记录"),
    "note.consult": ("Consultation", "会诊记录"),
    "note.discharge": ("Discharge summary", "出院小结"),
    "study.DX": ("Chest film", "胸片"),
    "study.CT": ("CT", "CT 检查"),
    "finding.pneumonia": ("Pneumonia found by AI", "AI 发现肺炎"),
    "review": ("A finding is reviewed", "复核发现"),
    "value": ("Values", "检验值"),
    "value.8310-5.high": ("Fever", "发热"),
    "value.1988-5.high": ("Raised C-reactive protein", "C 反应蛋白升高"),
    "value.2524-7.high": ("Raised lactate", "乳酸升高"),
    "value.2708-6.low": ("Low oxygen saturation", "血氧饱和度降低"),
    "prediction": ("Risk reckoned anew", "重新计算风险"),
    "alarm": ("Alarm", "报警"),
    "alarm.ended": ("Alarm ended", "报警解除"),
    "statement.problem.active": ("A problem is noted", "记录问题"),
    "statement.medication.active": ("A medication is begun", "开始用药"),
    "statement.medication.resolved": ("A medication is ended", "停药"),
    "task": ("A task is set", "布置任务"),
    "task.done": ("A task is done", "任务完成"),
    "referral": ("A second opinion is asked", "请求第二意见"),
    "referral.answered": ("A second opinion is given", "给出第二意见"),
    "hand_over": ("Handed over", "交接"),
    "report.final": ("Final report", "正式报告"),
    "comment": ("Comment", "评论"),
}
CODES = list(EVENTS)


def run(job: TrainingRun) -> dict[str, Any]:
    """Train the package; return its card."""
    return train(job.output, version=job.version, progress=job.progress)


def train(
    output: Path, *, version: str, episodes: int = EPISODES, progress: Progress = lambda *_: None
) -> dict[str, Any]:
    """Simulate timelines, train and write the package; takes about two minutes.

    Returns:
        The card.

    Raises:
        FileExistsError: if ``output`` holds a package already.
    """
    begin(output)
    rng = np.random.default_rng(SEED)
    drawn = [[CODES.index(code) + 2 for code in episode(rng)] for _ in range(episodes)]
    held = max(episodes // 6, 20)
    rest, test = drawn[held:], drawn[:held]
    model = _fit(rest, progress)
    save_file(model.state_dict(), output / WEIGHTS)
    values = {name: asdict(figure) for name, figure in _figures(model, rest, test).items()}
    return finish(output, _card(version, episodes - held, held, values))


def episode(rng: np.random.Generator) -> list[str]:
    """Simulate one timeline as codes of EVENTS."""
    course = rng.choice(["pneumonia", "sepsis", "clear", "nodule"], p=[0.4, 0.2, 0.25, 0.15])
    line = ["case.opened", "note.admission"]
    if rng.random() < 0.4:
        line.append("case.assigned")
    line += ["value"] * int(rng.integers(1, 4))
    severe = course == "sepsis" or (course == "pneumonia" and rng.random() < 0.3)
    infected = course in ("pneumonia", "sepsis")
    if infected:
        line += ["value.8310-5.high", "value.1988-5.high"] if rng.random() < 0.8 else ["value.1988-5.high"]
    if severe:
        line += ["value.2708-6.low"] if course == "pneumonia" else ["value.2524-7.high"]
        line += ["prediction", "alarm", "note.nursing"]
    line += ["study.DX", *AFTER_FILM["infection" if infected else str(course)]]
    for _ in range(int(rng.integers(1, 3 if not severe else 5))):
        line += ["note.progress", *_round(rng, severe)]
    if severe:  # an early alarm is ended, and the case is handed over to the night shift
        line += ["alarm.ended", "hand_over"]
    return [*line, *ENDS["infection" if infected else str(course)], "report.final", "note.discharge", "case.closed"]


AFTER_FILM = {
    "infection": ["finding.pneumonia", "review", "statement.problem.active", "statement.medication.active"],
    "nodule": ["task", "study.CT", "referral", "referral.answered"],
    "clear": ["note.progress"],
}
ENDS = {
    "infection": ["task", "study.DX", "task.done", "statement.medication.resolved"],
    "nodule": ["task.done", "note.consult"],
    "clear": [],
}


def _round(rng: np.random.Generator, severe: bool) -> list[str]:
    """Events of a ward round."""
    values = (["value", "prediction"] if severe else ["value"]) if rng.random() < 0.5 else []
    return [*values, *(["comment"] if rng.random() < 0.2 else [])]


def _fit(rest: list[list[int]], progress: Progress) -> NextEvent:
    torch.manual_seed(SEED)
    model = NextEvent(len(CODES) + 2)
    optimiser = torch.optim.AdamW(model.parameters(), lr=4e-3)
    for epoch in range(EPOCHS):
        for batch in torch.randperm(len(rest)).split(64):
            inputs, wanted = _padded([rest[index] for index in batch.tolist()])
            scores = model(inputs)
            loss = torch.nn.functional.cross_entropy(scores.transpose(1, 2), wanted, ignore_index=-1)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        progress("epochs", epoch + 1, EPOCHS, "")
    return model.eval()


def _padded(lines: list[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Padded inputs (starting with START) and targets (-1: padding)."""
    longest = max(map(len, lines))
    inputs, wanted = torch.zeros(len(lines), longest, dtype=torch.long), torch.full((len(lines), longest), -1)
    for row, line in enumerate(lines):
        inputs[row, : len(line)] = torch.tensor([START, *line[:-1]])
        wanted[row, : len(line)] = torch.tensor(line)
    return inputs, wanted


def _figures(model: NextEvent, rest: list[list[int]], test: list[list[int]]) -> dict[str, Figure]:
    pairs = Counter((a, b) for line in rest for a, b in zip([START, *line], line, strict=False))
    likeliest: dict[int, list[int]] = {}
    for (before, after), _count in pairs.most_common():
        likeliest.setdefault(before, []).append(after)
    hits: list[tuple[int, bool, bool, bool, bool]] = []
    with torch.inference_mode():
        for number, line in enumerate(test):
            inputs, wanted = _padded([line])
            best = model(inputs)[0].topk(3, dim=1).indices
            for step, target in enumerate(wanted[0].tolist()):
                peer = likeliest.get(int(inputs[0, step]), [])[:3]
                three = best[step].tolist()
                hits.append((number, three[0] == target, target in three, peer[:1] == [target], target in peer))
    table = np.array(hits)

    def measure(rows: npt.NDArray[np.intp]) -> dict[str, float]:
        names = ("next_first", "next_in_three", "pairs_first", "pairs_in_three")
        return {name: float(table[rows, index].mean()) for index, name in enumerate(names, start=1)}

    return bootstrap(measure, table[:, 0].astype(str), rounds=200)


def _card(version: str, trained: int, held: int, values: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": "next-event",
        "version": version,
        "title": {"en": "What usually follows in a case", "zh-hans": "病例中通常接下来发生的事"},
        "task": "event-prediction",
        "runtime": "events",
        "architecture": "GRU over events, 64 hidden units",
        "events": [
            {"code": code, "title": {"en": english, "zh-hans": chinese}} for code, (english, chinese) in EVENTS.items()
        ],
        "metrics": [
            {
                "data": "drawn timelines",
                "how": f"{held} drawn timelines that were not learned from; 95 % intervals by bootstrap over them. "
                "The peer says what most often follows the event before.",
                "patients": held,
                "values": values,
            }
        ],
        "intended_use": {
            "en": "To remind of what usually comes next. It learned from drawn timelines, not from patients: it says "
            "what is usual in the drawing, never what is right.",
            "zh-hans": "提示通常的下一步。模型学习自模拟时间线而非患者数据,仅反映模拟中的惯例,不代表正确做法。",
        },
        "population": {"en": "Drawn episodes of chest illness.", "zh-hans": "模拟的胸部疾病病程。"},
        "limits": [
            {
                "en": "Train it on your own timelines before you draw conclusions: manage.py train next-event.",
                "zh-hans": "得出结论前请使用本院时间线训练:manage.py train next-event。",
            }
        ],
        "training_data": [f"{trained} timelines drawn by apps/inference/training/next_event.py (seed {SEED})."],
        "training": {"epochs": EPOCHS, "seed": SEED, "framework": f"torch {torch.__version__}"},
        "licence": "Apache-2.0",
        "attribution": "MedPortal: drawn data.",
    }
