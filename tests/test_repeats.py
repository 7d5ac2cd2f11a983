"""Names of repeated trainings."""

import pytest

from fersnet.repeats import repeat_key, split_repeat


@pytest.mark.parametrize("method", ["fersnet", "fersnet_fes_da", "cnn3d"])
def test_the_first_training_has_the_method_s_own_name_and_all_can_be_read_back(method):
    assert repeat_key(method, 1) == method
    keys = [repeat_key(method, repeat) for repeat in range(1, 12)]
    assert len(set(keys)) == 11
    assert [split_repeat(key) for key in keys] == [(method, repeat) for repeat in range(1, 12)]
