import { readFileSync } from 'node:fs';
import { arch, cpus, platform } from 'node:os';

/**
 * The widest vector extension ONNX Runtime's kernels choose by, because saved graphs hold weights reordered for it:
 * `x86-64-avx512`, `x86-64-avx2`, `x86-64`, `arm64`. Where the flags can't be read, the CPU model stands in.
 */
export function instructionSet(): string {
  if (arch() === 'arm64') return 'arm64';
  if (arch() !== 'x64') return arch();
  if (platform() !== 'linux') return `x86-64 (${cpus()[0]?.model ?? 'unknown'})`;
  return fromFlags(readFileSync('/proc/cpuinfo', 'utf8'));
}

/** @param cpuinfo text of /proc/cpuinfo on x86. */
export function fromFlags(cpuinfo: string): string {
  const flags = new Set(/^flags\s*:(.*)$/m.exec(cpuinfo)?.[1]?.trim().split(/\s+/));
  const hasAvx512 = ['avx512f', 'avx512bw', 'avx512dq', 'avx512vl'].every((flag) => flags.has(flag));
  if (hasAvx512) return 'x86-64-avx512';
  return flags.has('avx2') && flags.has('fma') ? 'x86-64-avx2' : 'x86-64';
}
