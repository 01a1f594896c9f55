import { useState } from 'react';
import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import type { LabDataset, RequestInput } from '../../../../core/contract';
import { useSession } from '../../../session';
import { strings } from '../../../strings';
import { Button, Segmented, TextField } from '../../../ui';
import { FaultNote, TextArea, useLabAction } from '../shelf';
import shelf from '../shelf/shelf.module.css';

const STRINGS = strings.lab.datasets;

const WORDS = STRINGS.inspector;
const VISIBILITIES = (['private', 'shared'] as const).map((value) => ({
  value,
  ...WORDS.visibilities[value],
}));

function tagsOf(text: string): readonly string[] {
  return [
    ...new Set(
      text
        .split(/[,\n]/)
        .map((tag) => tag.trim())
        .filter((tag) => tag !== ''),
    ),
  ];
}

type Edit = Omit<RequestInput<'lab.editDataset'>, 'name'>;

interface DatasetEditProps {
  readonly dataset: LabDataset;
  /** The list is asked again. */
  readonly onEdited: () => void;
}

/** Who sees it, what it is, and its tags. Nothing is sent until it is saved or chosen. */
export function DatasetEdit({ dataset, onEdited }: DatasetEditProps): ReactNode {
  const { client, engine } = useSession();
  const live = useStore(engine, (state) => state.status.state === 'ok');
  const action = useLabAction();
  // Undefined: nothing is being typed, what holds shows.
  const [description, setDescription] = useState<string>();
  const [tags, setTags] = useState<string>();
  const { name, visibility } = dataset;
  const isOff = !live || action.isBusy;
  const isChanged =
    (description !== undefined && description !== dataset.description) ||
    (tags !== undefined && tagsOf(tags).join() !== dataset.tags.join());
  const forget = (): void => {
    setDescription(undefined);
    setTags(undefined);
  };
  const edit = async (part: Edit): Promise<void> => {
    const isDone = await action.attempt(WORDS.editFailed(name), () =>
      client.request('lab.editDataset', { name, ...part }),
    );
    if (!isDone) return;
    onEdited();
    if (part.visibility === undefined) forget();
  };
  const save = (): void =>
    void edit({
      ...(description === undefined ? {} : { description: description.trim() }),
      ...(tags === undefined ? {} : { tags: tagsOf(tags) }),
    });
  return (
    <>
      <FaultNote action={action} />
      <TextArea
        label={WORDS.about}
        value={description ?? dataset.description}
        rows={3}
        placeholder={WORDS.aboutPlaceholder}
        disabled={isOff}
        onChange={setDescription}
      />
      <TextField
        label={WORDS.tags}
        hint={WORDS.tagsHint}
        value={tags ?? dataset.tags.join(', ')}
        disabled={isOff}
        onChange={setTags}
      />
      {isChanged && (
        <div className={shelf['buttons']}>
          <Button variant="primary" disabled={isOff} onClick={save}>
            {WORDS.save}
          </Button>
          <Button disabled={isOff} onClick={forget}>
            {WORDS.revert}
          </Button>
        </div>
      )}
      <div className={shelf['labelled']}>
        <span>{WORDS.visibility}</span>
        <Segmented
          label={WORDS.visibility}
          value={visibility}
          options={VISIBILITIES}
          disabled={isOff}
          onChange={(value) => void edit({ visibility: value })}
        />
      </div>
    </>
  );
}
