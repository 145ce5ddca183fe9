"""Words by which people and phones say that there is service, that there is none, or emergency calls only."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from coverage.logs import quantities, values
from coverage.logs.cells import Cells
from coverage.names import fold

Bools = npt.NDArray[np.bool_]
_STATE_WORDS = {
    "in_service": ("in_service", "service", "ok", "camped", "state_in_service", "có sóng", "có dịch vụ", "có", "yes", "true"),
    "no_service": (
        "no_service", "out_of_service", "no_coverage", "no_signal", "no_network", "out_of_coverage", "state_out_of_service", "oos", "no", "false", "không có sóng",
        "không sóng", "mất sóng", "mất dịch vụ", "trắng sóng", "không có dịch vụ", "không có tín hiệu", "mất tín hiệu", "không",
    ),
    "emergency_only": ("emergency_only", "emergency", "limited_service", "state_emergency_only", "emergency calls only", "chỉ khẩn cấp", "chỉ gọi khẩn cấp", "chỉ cuộc gọi khẩn cấp", "khẩn cấp"),
    "unknown": ("unknown", "không rõ", "không biết", "chưa rõ"),
}  # fmt: skip
_STATES = {fold(word): state for state, words in _STATE_WORDS.items() for word in words}
WITHOUT_SERVICE = ("no_service", "emergency_only")
_OTHER_RADIO = frozenset(
    ("wifi", "wlan", "iwlan", "ethernet", "bluetooth", "cdma", "evdo", "1xrtt", "tdscdma")
)
# Words that answer many questions, and speak of service only in a column of service.
_ANY_ANSWER = frozenset(
    fold(word) for word in ("có", "không", "ok", "yes", "no", "true", "false", "unknown", "service")
)


def state_of(text: str) -> str | None:
    """The service state that a word in a column of service means; None where it is no such word."""
    return _STATES.get(fold(text))


def silence(text: str) -> str | None:
    """No service, or emergency calls only, where a text says so in plain words in any column; else None.

    People write `mất sóng` where the level belongs, and phones show `No service` in the operator's place.
    """
    return state_of(text) if is_plain_state(text) and state_of(text) in WITHOUT_SERVICE else None


def without_service(cells: Cells) -> Bools:
    """Which rows' texts say, in a column of service, that there is none or emergency calls only."""
    return values.marked(cells, lambda text: state_of(text) in WITHOUT_SERVICE)


def is_state_word(text: str) -> bool:
    """Whether a text is one of the words for service and its absence."""
    return fold(text) in _STATES


def is_plain_state(text: str) -> bool:
    """Whether a text speaks of service, and could not answer another question."""
    return is_state_word(text) and fold(text) not in _ANY_ANSWER


def is_technology_word(text: str) -> bool:
    """Whether a text is a word for a technology, for another kind of radio, or for none."""
    return quantities.technology(text) is not None or fold(text) in _OTHER_RADIO or is_state_word(text)
