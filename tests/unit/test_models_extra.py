"""Is a missing package named with its remedy, and a missing module of ours not hidden behind it?"""

import pytest
from django.core.management.base import CommandError

from retrieval.management.models_extra import models_extra


def test_a_missing_package_is_named_with_its_remedy() -> None:
    with (
        pytest.raises(CommandError, match=r"needs a_package_that_nobody_has: install it with .*\[models\]"),
        models_extra(),
    ):
        import a_package_that_nobody_has  # noqa: F401


def test_a_missing_module_of_ours_is_a_defect() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"retrieval\.nowhere"), models_extra():
        import retrieval.nowhere  # noqa: F401
