import { dirname } from 'node:path';

import { NEWER, putJson, type NewerStore } from '../../contract/test-support/newer-store';
import { ModelLibrary } from '../library';
import { readManifest } from '../manifest';
import { readProfile, writeProfile } from '../profile-file';

const HERE = { runtimeVersion: '1', instructionSet: 'avx2' };

export const NEWER_LAYERING: readonly NewerStore[] = [
  {
    name: 'a model of the library',
    fixture: (folder) => {
      putJson(folder, 'models/net/store-abc/manifest.json', { format: 2 });
      putJson(folder, 'models/net/store-other/manifest.json', { format: 2 });
      const entry = { format: NEWER, stores: ['store-abc', 'store-other'] };
      return putJson(folder, 'models/net/entry.json', entry);
    },
    use: async (_path, folder) => (await ModelLibrary.open(folder, HERE)).list()[0]?.stateReason,
  },
  {
    name: 'the task of a model',
    fixture: (folder) => putJson(folder, 'models/net/entry.json', { format: NEWER }),
    use: async (_path, folder) => (await ModelLibrary.open(folder, HERE)).setTask('net', { kind: 'tensor' }),
  },
  {
    name: 'a layer store',
    fixture: (folder) => putJson(folder, 'store/manifest.json', { format: NEWER }),
    use: (path) => readManifest(dirname(path)),
  },
  {
    name: "a store's profile",
    fixture: (folder) => putJson(folder, 'store/profile.json', { format: NEWER, rings: {} }),
    use: (path) => {
      if (readProfile(dirname(path))) throw new Error('A newer profile was read.');
      const own = { threads: 1, layerMs: [], stepMs: 0, readers: 1, rings: [] };
      return writeProfile(dirname(path), { format: 3, ...own });
    },
  },
];
