"""Types, limits and descriptions of the models' options."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mtsbench.options import UNSAID

FixedRegion = Literal["given", "suv-threshold"]
Folds = Annotated[int, Field(ge=2, description="of the inner cross-validation")]
NetworkFolds = Annotated[int, Field(ge=2, description="parts of the out-of-fold networks")]
Screened = Annotated[int, Field(ge=1, description="image features kept by univariate C")]
Correlation = Annotated[float, Field(gt=0, le=1, description="largest allowed, absolute")]
Ridge = Annotated[float, Field(ge=0, description="penalty on squared log hazard ratios per SD")]
Monotone = Annotated[
    Literal["ridge", "refuse"],
    Field(description="where a hazard ratio would be 0 or infinite: ridge=0.1 there, or an error"),
    UNSAID,
]
Sigma = Annotated[float, Field(gt=0)]
Ratio = Annotated[float, Field(ge=0.01, le=1, description="share of the lasso penalty")]
Weakest = Annotated[float, Field(gt=0, lt=1, description="penalty over the strongest one")]
Count = Annotated[int, Field(ge=1)]
Leaves = Annotated[tuple[Count, ...], Field(min_length=1, description="smallest leaves to try")]
Stages = Annotated[tuple[Count, ...], Field(min_length=1, description="numbers of trees to try")]
Rate = Annotated[float, Field(gt=0, le=1)]
Wavelet = Annotated[bool, Field(description="measure the wavelet decompositions too")]
Sigmas = Annotated[tuple[Sigma, ...], Field(description="mm, Laplacians of Gaussians to measure")]
Clinical = Annotated[bool, Field(description="append the clinical features")]
# The defaults are those of features/radiomics-1.toml.
Spacing = Annotated[float, Field(gt=0, description="mm, isotropic grid of the features"), UNSAID]
BinHU = Annotated[float, Field(gt=0, description="bin width of the CT"), UNSAID]
BinSUV = Annotated[float, Field(gt=0, description="bin width of the PET"), UNSAID]
