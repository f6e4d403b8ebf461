// SPDX-License-Identifier: Apache-2.0
// The two decompressors that trace-cmd uses for its sections and buffer chunks.
#pragma once
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>
