import type { ReactNode } from 'react';

/** 20 px line icons, drawn in the text's colour; decoration only, so hidden from assistive technology. */
function Icon({ children }: { readonly children: ReactNode }): ReactNode {
  return (
    <svg
      aria-hidden="true"
      width="20"
      height="20"
      viewBox="0 0 20 20"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.4"
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      {children}
    </svg>
  );
}

export function RunIcon(): ReactNode {
  return (
    <Icon>
      <path d="M6 4.2v11.6L15.5 10z" />
    </Icon>
  );
}

export function TimelineIcon(): ReactNode {
  return (
    <Icon>
      <path d="M3 5h6M7 10h8M12 15h5M3 15h5" strokeWidth="2.4" />
    </Icon>
  );
}

/** One way in, three ways out, one of them taken. */
export function DecisionsIcon(): ReactNode {
  return (
    <Icon>
      <path d="M3 10h4M7 10l5-5.5M7 10h5M7 10l5 5.5" />
      <circle cx="14.5" cy="4.5" r="2" />
      <circle cx="14.5" cy="10" r="2" fill="currentColor" />
      <circle cx="14.5" cy="15.5" r="2" />
    </Icon>
  );
}

/** Something said, in lines. */
export function LanguageIcon(): ReactNode {
  return (
    <Icon>
      <path d="M3.5 4.5h13v9h-7l-3.5 3v-3h-2.5zM6.5 7.5h7M6.5 10.5h4" />
    </Icon>
  );
}

/** A flask, half full. */
export function LabIcon(): ReactNode {
  return (
    <Icon>
      <path d="M8 3v5L3.8 15.2a1.2 1.2 0 0 0 1 1.8h10.4a1.2 1.2 0 0 0 1-1.8L12 8V3M6.8 3h6.4M6 12h8" />
    </Icon>
  );
}

export function EndpointsIcon(): ReactNode {
  return (
    <Icon>
      <rect x="3.5" y="3.5" width="13" height="5.5" rx="1" />
      <rect x="3.5" y="11" width="13" height="5.5" rx="1" />
      <path d="M6.5 6.25h.01M6.5 13.75h.01" strokeWidth="2" />
    </Icon>
  );
}

export function ModelsIcon(): ReactNode {
  return (
    <Icon>
      <path d="M10 3 17 6.5 10 10 3 6.5zM3 10l7 3.5 7-3.5M3 13.5 10 17l7-3.5" />
    </Icon>
  );
}

export function DeviceIcon(): ReactNode {
  return (
    <Icon>
      <rect x="5.5" y="5.5" width="9" height="9" rx="1" />
      <path d="M8 2.5v3M12 2.5v3M8 14.5v3M12 14.5v3M2.5 8h3M2.5 12h3M14.5 8h3M14.5 12h3" />
    </Icon>
  );
}

/** One box that others hang on. */
export function FleetIcon(): ReactNode {
  return (
    <Icon>
      <rect x="7" y="3" width="6" height="5" rx="1" />
      <rect x="2.5" y="12.5" width="5" height="4.5" rx="1" />
      <rect x="12.5" y="12.5" width="5" height="4.5" rx="1" />
      <path d="M10 8v2.5M5 12.5v-2h10v2" />
    </Icon>
  );
}

export function CloseIcon(): ReactNode {
  return (
    <Icon>
      <path d="m6 6 8 8M14 6l-8 8" />
    </Icon>
  );
}

export function PencilIcon(): ReactNode {
  return (
    <Icon>
      <path d="m4 16 .8-3.4L13.2 4.2l2.6 2.6L7.4 15.2zM11.5 6l2.6 2.6" />
    </Icon>
  );
}

export function ThemeIcon(): ReactNode {
  return (
    <Icon>
      <circle cx="10" cy="10" r="6.5" />
      <path d="M10 3.5a6.5 6.5 0 0 1 0 13z" fill="currentColor" />
    </Icon>
  );
}
