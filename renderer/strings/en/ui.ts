/** Words of controls that every panel uses. */
export const ui = {
  copyDetails: 'Copy details',
  copied: 'Copied',
  copyRefused: 'Copying was refused',
  dismiss: 'Dismiss',
  ok: 'OK',
  scalar: 'scalar',
  left: (time: string): string => `${time} left`,
  agoMin: (minutes: number): string => `−${minutes} min`,
  agoSec: (seconds: number): string => `−${seconds} s`,
} as const;
