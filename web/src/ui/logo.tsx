// The mark of Tandem: two wheels under one frame.

export function Logo() {
  return (
    <svg class="logo" viewBox="0 0 32 24" aria-hidden="true">
      <circle cx="8" cy="16" r="6.25" />
      <circle cx="24" cy="16" r="6.25" />
      <path d="M3 3.5h26" />
    </svg>
  );
}
