// SPDX-License-Identifier: Apache-2.0

/// Of a vCPU in ``Machine/vcpus``. It is not the vCPU's id, and once its VM has ended it is another vCPU's.
public struct VCPUIndex: TableIndex {
    public let place: Int
    public init(_ place: Int) { self.place = place }
}

/// Of a VM in ``Machine/vms``. Once the VM has ended it is another VM's.
public struct VMIndex: TableIndex {
    public let place: Int
    public init(_ place: Int) { self.place = place }
}

/// Of a host thread in the machine's ``ThreadTable``.
public struct ThreadIndex: TableIndex {
    public let place: Int
    public init(_ place: Int) { self.place = place }
}
