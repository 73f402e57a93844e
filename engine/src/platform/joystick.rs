//! Joystick.tv: chat and events over Action Cable, in both shapes of its gateway.

mod wire;
