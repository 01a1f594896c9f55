import styles from './menu.module.css';

/** Class names of what drops down from the title bar: the button, the list, and a line of it. */
export const MENU = { trigger: styles['trigger'], popup: styles['popup'], item: styles['item'] };
