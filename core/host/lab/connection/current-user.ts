import { userInfo } from 'node:os';

const RUN_USER = /^[a-z0-9][a-z0-9._-]{0,63}$/i;

/** Who uses this machine; a name that a run's can begin with. */
export function currentUser(): string {
  const { username } = userInfo();
  return RUN_USER.test(username) ? username : 'user';
}
