/** Of the console in a browser, which was logged in to. */
export const login = {
  logOut: 'Log out',
  logOutWords: 'sign out leave end session',
} as const;
