import styles from './record-table.module.css';

/** Class names of a table with one row a thing: its scrolling frame, the table, and cells with figures. */
export const RECORD_TABLE = {
  scroll: styles['scroll'],
  table: styles['table'],
  number: styles['number'],
};
