"""Every model of this package keeps the promises of the conformance kit."""

from __future__ import annotations

import pytest

from mtsbench.testing import ModelContract, PluginContract


class TestPackage(PluginContract):
    distribution = "mtsbench-radiomics"


class TestKaplanMeier(ModelContract):
    component = "km"


class TestClinicalCox(ModelContract):
    component = "clinical-cox"


class TestClinicalForest(ModelContract):
    component = "clinical-rsf"
    options = {"trees": 50}


class TestVolume(ModelContract):
    component = "volume"


class TestVolumeThreshold(ModelContract):
    component = "volume-threshold"


class TestIcare(ModelContract):
    component = "radiomics-icare"
    options = {"bags": 30}


@pytest.mark.slow
class TestVolumePredicted(ModelContract):
    component = "volume-predicted"


@pytest.mark.slow
class TestCoxnet(ModelContract):
    component = "radiomics-coxnet"


@pytest.mark.slow
class TestCoxnetThreshold(ModelContract):
    component = "radiomics-coxnet-threshold"


@pytest.mark.slow
class TestForest(ModelContract):
    component = "radiomics-rsf"


@pytest.mark.slow
class TestForestThreshold(ModelContract):
    component = "radiomics-rsf-threshold"


@pytest.mark.slow
class TestBoosting(ModelContract):
    component = "radiomics-gbm"


@pytest.mark.slow
class TestBoostingThreshold(ModelContract):
    component = "radiomics-gbm-threshold"


@pytest.mark.slow
class TestIcareThreshold(ModelContract):
    component = "radiomics-icare-threshold"


@pytest.mark.slow
class TestCoxnetPredicted(ModelContract):
    component = "radiomics-coxnet-predicted"


@pytest.mark.slow
class TestDeepMtsRadiomics(ModelContract):
    component = "deepmts-radiomics"
