import type { KeyboardEvent } from 'react';

/** Keys of a table's row: arrows move the focus between rows, Enter and Space open, Escape closes what is open. */
export function onRowKey(event: KeyboardEvent<HTMLElement>, open: () => void, close?: () => void): void {
  const row = event.currentTarget;
  const target = { ArrowDown: row.nextElementSibling, ArrowUp: row.previousElementSibling }[event.key];
  if (target instanceof HTMLElement) {
    event.preventDefault();
    target.focus();
  } else if (event.key === 'Enter' || event.key === ' ') {
    event.preventDefault();
    open();
  } else if (event.key === 'Escape') close?.();
}
