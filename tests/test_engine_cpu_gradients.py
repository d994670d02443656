from __future__ import annotations

import pytest
import torch

from mtsbench.engine import cpu_gradients
from mtsbench.engine.cpu_gradients import warn_of_wrong_gradients, weight_gradient_error
from mtsbench.engine.precision import tensor_cores


@pytest.mark.filterwarnings("ignore:TF32 acceleration on top of oneDNN:UserWarning")
def test_without_onednn_the_gradient_is_right_within_rounding():
    with torch.backends.mkldnn.flags(enabled=False):
        error = weight_gradient_error()

    assert 0 < error < cpu_gradients.ROUNDING


def test_the_probe_leaves_random_numbers_alone():
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    weight_gradient_error()

    assert torch.equal(torch.rand(2), expected)


def test_an_error_beyond_rounding_is_told_with_what_to_do(caplog):
    warn_of_wrong_gradients(0.01)
    assert caplog.text == ""

    warn_of_wrong_gradients(3e33)
    assert (
        "computes wrong gradients of 3D convolutions in bf16 (relative error 3e+33)" in caplog.text
    )
    assert "use training.precision=fp32" in caplog.text


def test_training_in_bf16_on_a_processor_is_probed_and_no_other(monkeypatch, caplog):
    monkeypatch.setattr(cpu_gradients, "weight_gradient_error", lambda: 1.0)

    for precision in ("auto", "fp32"):
        with tensor_cores("cpu", precision):
            pass
    assert caplog.text == ""
    with tensor_cores("cpu", "bf16"):
        pass
    assert "computes wrong gradients" in caplog.text
