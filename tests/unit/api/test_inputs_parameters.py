"""A value reaches a workflow unchanged, or is refused with the reason."""

import pytest

from workflowexecution.api.inputs import check_parameters


@pytest.mark.parametrize(
    "value",
    [
        "",
        "3",
        "(see the runbook)",
        "costs $5",
        "${HOME} and $HOME",
        "$[params.A]",
        "a $ b",
        "a)$b",
        "`reboot`; 'x' \"y\" \\ \n\t\r",
        "💥" * 8192,
        "x" * 32_768,
    ],
    ids=lambda value: ascii(value)[:20],
)
def test_what_arrives_to_the_letter_is_taken(value: str) -> None:
    assert check_parameters({"A": value}) == {"A": value}


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("$(params.B)", "Tekton or the kubelet would change it"),
        ("see $(hostname)", "Tekton or the kubelet would change it"),
        ("an open $(", "Tekton or the kubelet would change it"),
        ("cost $$5", "Tekton or the kubelet would change it"),
        ("^web-[0-9]+$", "without '$' as its last character"),
        ("$", "without '$' as its last character"),
        ("a\0b", "no process can be given a NUL character"),
        ("x" * 32_769, "longer than 32768 bytes"),
        ("💥" * 8193, "longer than 32768 bytes"),
        ("\ud800" * 10_923, "longer than 32768 bytes"),
    ],
    ids=lambda value: ascii(value)[:20],
)
def test_what_would_be_changed_on_its_way_is_refused(value: str, said: str) -> None:
    with pytest.raises(ValueError, match="the value of A") as error:
        check_parameters({"GOOD": "1", "A": value})
    assert said in str(error.value)
    assert len(value) == 1 or value not in str(error.value)


def test_all_values_together_are_bounded() -> None:
    longest = {f"A{number}": "é" * 16_384 for number in range(8)}
    assert check_parameters(longest) == longest
    with pytest.raises(ValueError, match="all values together are longer than 262144 bytes"):
        check_parameters({**longest, "B": "1"})
