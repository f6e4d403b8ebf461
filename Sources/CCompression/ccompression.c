// SPDX-License-Identifier: Apache-2.0
// SwiftPM builds a C target only when it has a source file; the libraries need no code of ours.
#include "ccompression.h"
