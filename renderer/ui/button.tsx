import type { ComponentPropsWithRef, ReactNode } from 'react';

import styles from './button.module.css';

interface ButtonProps extends ComponentPropsWithRef<'button'> {
  /** `primary`: the one thing to do here; `danger`: something goes; `ghost`: inside rows and bars. */
  readonly variant?: 'plain' | 'primary' | 'danger' | 'ghost';
}

export function Button({ variant = 'plain', className, type = 'button', ...rest }: ButtonProps): ReactNode {
  const classes = [styles['button'], styles[variant], className].filter(Boolean).join(' ');
  return <button type={type} className={classes} {...rest} />;
}
