import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { tinyChatModel } from '../../llm/test-support/tiny-chat-model';
import { writeTinyChatFolder } from '../../llm/test-support/tiny-chat-folder';
import { EXAMPLES } from '../../vision';
import { writeZooModel, zooNetwork } from '../../zoo';
import { FileReader } from '../test-support/file-reader';

let root: string;
let reader: FileReader;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'sluice-fuzz-files-'));
  reader = new FileReader(root);
  await writeZooModel(zooNetwork('tiny-cnn'), join(root, 'cnn.onnx'), { seed: 1, weights: 'inline' });
  mkdirSync(join(root, 'split'));
  await writeZooModel(zooNetwork('tiny-cnn'), join(root, 'split', 'cnn.onnx'), {
    seed: 1,
    weights: 'external',
  });
  writeFileSync(join(root, 'chat.gguf'), tinyChatModel());
  await writeTinyChatFolder(join(root, 'folder'));
});
afterAll(() => {
  reader.close();
  rmSync(root, { recursive: true, force: true });
});

describe('damaged files are read or refused, in bounded memory and time', () => {
  it('ONNX', () => reader.expectAllSound('onnx', 'cnn.onnx', readFileSync(join(root, 'cnn.onnx'))));

  it('ONNX with its weights beside it', async () => {
    cpSync(join(root, 'split'), join(root, 'parsed', 'split'), { recursive: true });
    await reader.expectAllSound('onnx', 'split/cnn.onnx', readFileSync(join(root, 'split', 'cnn.onnx')));
  });

  it('GGUF', () => {
    // Tensors are not looked into: what is damaged is the header.
    return reader.expectAllSound('language', 'chat.gguf', readFileSync(join(root, 'chat.gguf')));
  });

  it.each(['config.json', 'tokenizer.json', 'tokenizer_config.json', 'model.safetensors'])(
    '%s of a folder',
    async (name) => {
      const folder = join(root, 'parsed', name, 'model');
      mkdirSync(folder, { recursive: true });
      for (const file of readdirSync(join(root, 'folder')))
        cpSync(join(root, 'folder', file), join(folder, file));
      const kind = name.endsWith('.json') ? 'text' : 'binary';
      await reader.expectAllSound(
        'language',
        `${name}/model/${name}`,
        readFileSync(join(root, 'folder', name)),
        kind,
      );
    },
  );

  it('pictures', async () => {
    const [example] = readdirSync(join(__dirname, '..', '..', 'vision', 'examples')).filter((name) =>
      /\.png$/.test(name),
    );
    expect(EXAMPLES.length).toBeGreaterThan(0);
    await reader.expectAllSound(
      'image',
      'a.png',
      readFileSync(join(__dirname, '..', '..', 'vision', 'examples', example ?? '')),
    );
  });

  it('tensors', async () => {
    const header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }".padEnd(117) + '\n';
    const head = Buffer.concat([
      Buffer.from('\x93NUMPY\x01\0', 'latin1'),
      Buffer.from([118, 0]),
      Buffer.from(header),
    ]);
    await reader.expectAllSound('npy', 'a.npy', Buffer.concat([head, Buffer.alloc(24)]));
  });
});
