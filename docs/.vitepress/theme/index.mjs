// The theme as it is, with the reader's own fonts.
export { default } from 'vitepress/theme-without-fonts';
