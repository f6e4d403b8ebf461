// SPDX-License-Identifier: Apache-2.0
// libbpf as Swift sees it.
#pragma once
#include <bpf/libbpf.h>
