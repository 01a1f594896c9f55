import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

import { afterEach, describe, expect, it } from 'vitest';

import { until } from '../test-support/job-fixtures';

import { bootId, isRunning, proportionalBytes, readProcess, residentBytes } from './process-table';
import { JOB_TOKEN, ProcessTree } from './process-tree';

let tree: ProcessTree;

async function start(token: string, script: string): Promise<ChildProcess> {
  const env = { ...process.env, [JOB_TOKEN]: token };
  const child = spawn('/bin/sh', ['-c', script], {
    env,
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  await once(child, 'spawn');
  return child;
}

afterEach(() => {
  tree.signal('SIGKILL');
});

describe('ProcessTree', () => {
  it('finds children in other sessions, whose parents are gone, by the token', async () => {
    tree = new ProcessTree('aaaa');
    const child = await start('aaaa', 'setsid sleep 1000 & setsid sleep 1001 & read line');
    await until(() => tree.scan().length === 3);
    child.stdin?.end();
    await once(child, 'exit');
    expect(new ProcessTree('aaaa').scan()).toHaveLength(2);
    expect(new ProcessTree('aaa').scan()).toEqual([]);
    expect(tree.signal('SIGKILL')).toBe(2);
    await until(() => tree.scan(true).length === 0);
  });

  it('remembers those without the token whose parent it has seen', async () => {
    tree = new ProcessTree('bbbb');
    const child = await start('bbbb', 'setsid env -i sleep 1000 & read line');
    await until(() => tree.scan().length === 2);
    child.stdin?.end();
    await once(child, 'exit');
    // Nothing says any more whose it is.
    await until(() => new ProcessTree('bbbb').scan().length === 0);
    expect(tree.signal('SIGKILL')).toBe(1);
    await until(() => tree.scan(true).length === 0);
  });

  it('sums up memory and time, also of those that have ended', async () => {
    const root = await start('cccc', 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; read line');
    tree = new ProcessTree('other', readProcess(root.pid!)!.mark);
    await until(() => (tree.scan(), tree.cpuMs) > 0);
    expect(tree.memoryBytes(Infinity)).toBe(residentBytes(root.pid!));
    expect(tree.memoryBytes(0)).toBe(proportionalBytes(root.pid!));
    const { cpuMs } = tree;
    root.kill('SIGKILL');
    await once(root, 'exit');
    expect(tree.scan()).toEqual([]);
    expect(tree.cpuMs).toBe(cpuMs);
  });
});

describe('marks', () => {
  it('tell a process from another with its id, and from none', () => {
    tree = new ProcessTree('none');
    const mark = readProcess(process.pid)!.mark;
    expect(isRunning(mark)).toBe(true);
    expect(isRunning(`${process.pid}-1`)).toBe(false);
    expect(isRunning('999999999-1')).toBe(false);
    expect(isRunning('')).toBe(false);
    expect(bootId()).toMatch(/^[0-9a-f-]{36}$/);
  });
});
