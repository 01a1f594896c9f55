import { plural } from './plural';

/** Words of controls that every panel uses. */
export const ui = {
  copyDetails: 'Copy details',
  copied: 'Copied',
  copyRefused: 'Copying was refused',
  dismiss: 'Dismiss',
  ok: 'OK',
  help: {
    what: 'What it is',
    how: 'How it is measured',
    do: 'What to do',
    more: 'Enter, F1 or a click: more',
    moreByKey: 'F1: more',
  },
  chart: {
    table: 'Show as table',
    picture: 'Show as plot',
    copy: 'Copy as CSV',
    copied: 'Copied',
    tableOf: (title: string): string => `${title}, as a table`,
    points: (count: number): string => plural(count, { one: 'point', other: 'points' }),
    series: (name: string, points: string, least: string, most: string, last: string): string =>
      `${name}: ${points}, from ${least} to ${most}, last ${last}`,
    empty: (title: string): string => `${title}: no points yet`,
  },
  lazy: {
    waiting: 'Loading',
    failed: 'This view could not be loaded',
    reload: 'Load the console again',
  },
  scalar: 'scalar',
  left: (time: string): string => `${time} left`,
  agoMin: (minutes: number): string => `−${minutes} min`,
  agoSec: (seconds: number): string => `−${seconds} s`,
} as const;
