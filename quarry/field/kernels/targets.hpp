#pragma once
// Include before any Highway header: which targets a kernel is compiled for. AVX3 is Highway's name for AVX-512
// F/BW/DQ/VL.
#include "hwy/detect_targets.h"
#undef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4 | HWY_AVX3_DL)
