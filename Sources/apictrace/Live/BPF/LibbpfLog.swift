// SPDX-License-Identifier: Apache-2.0
import CBPF

/// Collects what libbpf would print, the verifier's log included, so that it is shown only on request.
final class LibbpfLog {
    private(set) var text = ""

    /// One at a time: libbpf's print hook is the process's.
    init() {
        cbpf_set_log(
            { context, line in
                guard let context, let line else { return }
                Unmanaged<LibbpfLog>.fromOpaque(context).takeUnretainedValue().text += String(cString: line)
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    deinit {
        cbpf_set_log(nil, nil)
    }
}
